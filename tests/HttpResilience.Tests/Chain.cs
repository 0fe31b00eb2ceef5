using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HttpResilience.Tests;

/// <summary>
/// One client with the chain, on a scripted server, a manual clock and a configuration in memory.
/// Waits are without jitter: 1, 2 and 4 seconds.
/// </summary>
internal sealed class Chain : IDisposable
{
    internal const string Name = "api";
    private const string Section = $"HttpResilience:Clients:{Name}";

    public Chain(
        Action<HttpResilienceOptions>? options = null,
        Action<IHttpClientBuilder>? client = null,
        Action<IServiceCollection>? services = null,
        IDictionary<string, string?>? settings = null,
        bool keepsRequests = true)
    {
        Server = new(Clock, keepsRequests);
        Configuration = new ConfigurationBuilder().AddInMemoryCollection([new("HttpResilience:Defaults:Retry:UseJitter", "false")]).Build();
        foreach (var (key, value) in settings ?? new Dictionary<string, string?>())
            Configuration[$"{Section}:{key}"] = value;

        var collection = new ServiceCollection();
        collection.AddSingleton<TimeProvider>(Clock).AddSingleton<IConfiguration>(Configuration)
            .AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(Logs));
        var builder = collection.AddResilientHttpClient(Name, options)
            .ConfigureHttpClient(c => c.BaseAddress = new("https://api.test/"))
            .ConfigurePrimaryHttpMessageHandler(() => Server);
        client?.Invoke(builder);
        services?.Invoke(collection);
        Services = collection.BuildServiceProvider();
    }

    public ManualTimeProvider Clock { get; } = new() { SkipsWaits = true };

    public FaultScript Server { get; }

    public LogCollector Logs { get; } = new();

    public IConfigurationRoot Configuration { get; }

    public ServiceProvider Services { get; }

    public HttpClient Client => field ??= Services.GetRequiredService<IHttpClientFactory>().CreateClient(Name);

    internal Client State => Services.GetRequiredKeyedService<Client>(Name);

    internal ErrorBudget Budget => State.Get<ErrorBudget>()!;

    /// <summary>
    /// What <see cref="IHttpClientFactory"/> does when it needs handlers, the first time and whenever those it has are two minutes old.
    /// </summary>
    public static HttpMessageHandlerBuilder BuildHandlers(IServiceProvider services, string name = Name)
    {
        var builder = services.GetRequiredService<HttpMessageHandlerBuilder>();
        builder.Name = name;
        Action<HttpMessageHandlerBuilder> configure = b =>
        {
            foreach (var action in services.GetRequiredService<IOptionsMonitor<HttpClientFactoryOptions>>()
                .Get(name).HttpMessageHandlerBuilderActions)
                action(b);
        };
        foreach (var filter in services.GetServices<IHttpMessageHandlerBuilderFilter>().Reverse())
            configure = filter.Configure(configure);
        configure(builder);
        return builder;
    }

    /// <summary>Sends through the client.</summary>
    /// <param name="async">False: with <see cref="HttpClient.Send(HttpRequestMessage)"/>, on a thread of its own.</param>
    /// <param name="caller">The caller's token; that of the test when there is none.</param>
    public Task<HttpResponseMessage> SendAsync(
        bool async, HttpRequestMessage request, CancellationToken? caller = null,
        HttpCompletionOption completion = HttpCompletionOption.ResponseContentRead)
    {
        var token = caller ?? TestContext.Current.CancellationToken;
        return async
            ? Client.SendAsync(request, completion, token)
            : Task.Factory.StartNew(() => Client.Send(request, completion, token), CancellationToken.None, TaskCreationOptions.LongRunning,
                TaskScheduler.Default);
    }

    public Task<HttpResponseMessage> GetAsync(bool async = true) => SendAsync(async, Get());

    public Task<HttpResponseMessage> PostAsync(bool async = true) => SendAsync(async, Post());

    /// <summary>Changes keys of the client's section and has the configuration read again.</summary>
    public void Reload(params (string Key, string? Value)[] settings)
    {
        foreach (var (key, value) in settings)
            Configuration[$"{Section}:{key}"] = value;
        Configuration.Reload();
    }

    public static HttpRequestMessage Get(string uri = "invoices/1") => new(HttpMethod.Get, uri);

    public static HttpRequestMessage Post(HttpContent? content = null) =>
        new(HttpMethod.Post, "invoices") { Content = content ?? new StringContent("{\"number\":1}") };

    public void Dispose() => Services.Dispose();
}
