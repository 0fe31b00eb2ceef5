using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HttpResilience.Tool;

/// <summary>
/// The clients of a configuration in a container like that of the application, as far as the files tell: with all that code would add for
/// their settings, such as a store, which is not opened. Nothing of it is started.
/// </summary>
internal sealed class ExplainedHost : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly NoteCollector _notes;

    private ExplainedHost(ServiceProvider services, NoteCollector notes) => (_services, _notes) = (services, notes);

    /// <summary>What is odd but valid, as the log of the host would have it.</summary>
    internal IReadOnlyList<string> Notes => _notes.Notes;

    /// <summary>Validates the configuration as the start of a host does.</summary>
    /// <param name="files">The configuration.</param>
    /// <param name="clients">The names of the clients.</param>
    /// <param name="environment">Such as Production.</param>
    /// <exception cref="OptionsValidationException">It is not valid; with all problems.</exception>
    internal static async Task<ExplainedHost> StartAsync(
        SettingsFiles files, IReadOnlyList<string> clients, string environment, CancellationToken cancellationToken)
    {
        var notes = new NoteCollector();
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(files.Configuration);
        services.AddSingleton<IHostEnvironment>(new Environs(environment));
        services.AddLogging(logging => logging.AddProvider(notes));
        services.AddHttpResilienceOperations();
        AddStorage(services, files.Configuration);
        services.AddSingleton<ILetterProtector, AnyKey>();
        foreach (string client in clients)
            services.AddResilientHttpClient(client);
        var provider = services.BuildServiceProvider();
        try
        {
            Validate(provider);
            await ActivatorUtilities.CreateInstance<ClientStartup>(provider).StartAsync(cancellationToken).ConfigureAwait(false);
            return new(provider, notes);
        }
        catch
        {
            await provider.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>The settings of a client in force.</summary>
    internal HttpResilienceOptions OptionsOf(string client) => ((Client)Clients.Find(client)!).Options;

    internal IResilientClients Clients => _services.GetRequiredService<IResilientClients>();

    /// <summary>The stages that the factory makes for a client, outermost first.</summary>
    internal IReadOnlyList<Type> StagesOf(string client)
    {
        List<Type> stages = [];
        HttpMessageHandler? handler = _services.GetRequiredService<IHttpMessageHandlerFactory>().CreateHandler(client);
        for (; handler is not null; handler = (handler as DelegatingHandler)?.InnerHandler)
        {
            // Captures for the other stages, and does nothing by itself.
            if (handler is ChainHandler and not WireHandler)
                stages.Add(handler.GetType());
        }

        return stages;
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();

    // The one that the files name, else any: code may name it, and give the connection string.
    private static void AddStorage(IServiceCollection services, IConfiguration configuration)
    {
        bool isNamed = configuration[$"{StorageChoice.Section}:Provider"] is not null;
        services.AddHttpResilienceStorage(storage =>
        {
            storage.UseSqlite("Data Source=not-opened.db");
            if (isNamed)
                storage.UsePostgreSql("Host=not-opened");
        });
    }

    private static void Validate(IServiceProvider services)
    {
        try
        {
            services.GetRequiredService<IStartupValidator>().Validate();
        }
        catch (AggregateException e) when (e.InnerExceptions.All(inner => inner is OptionsValidationException))
        {
            var all = e.InnerExceptions.Cast<OptionsValidationException>().ToArray();
            throw new OptionsValidationException(
                all[0].OptionsName, all[0].OptionsType, [.. all.SelectMany(problem => problem.Failures).Distinct()]);
        }
    }

    private sealed class Environs(string name) : IHostEnvironment
    {
        public string EnvironmentName { get; set; } = name;

        public string ApplicationName { get; set; } = "http-resilience";

        public string ContentRootPath { get; set; } = Directory.GetCurrentDirectory();

        public IFileProvider ContentRootFileProvider { get; set; } = new NullFileProvider();
    }

    // A configuration says that letters are protected; the keys are the application's.
    private sealed class AnyKey : ILetterProtector
    {
        public string? Problem => null;

        public byte[] Protect(ReadOnlySpan<byte> data, string purpose, out string keyId) => throw new NotSupportedException();

        public byte[] Unprotect(ReadOnlySpan<byte> data, string purpose, string keyId) => throw new NotSupportedException();

        public bool HasKey(string keyId) => true;
    }
}
