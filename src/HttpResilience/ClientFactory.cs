using System.Diagnostics.Metrics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace HttpResilience;

/// <summary>Makes a client from the services of its container, and logs its notable settings.</summary>
internal static class ClientFactory
{
    internal static void AddTo(IServiceCollection services)
    {
        // One client under both of its names.
        services.AddKeyedSingleton(KeyedService.AnyKey, (provider, name) =>
            provider.GetServices<ResilientClient>().SettingsNameOf((string)name!) is var settings && settings == (string)name!
                ? Create(provider, settings) : provider.GetRequiredKeyedService<Client>(settings));
        SendingClientFactory.AddTo(services);
        services.AddSingleton<IResilientClients, ResilientClients>();
        // Replaces the platform's monitor, which would also return options that the client has rejected.
        services.AddSingleton<IOptionsMonitor<HttpResilienceOptions>>(provider => provider.ResilientClients);
        services.AddSingleton(provider => new CallObservers(
            provider.GetServices<CallObserver>(), provider.GetRequiredService<ILoggerFactory>().CreateLogger(CallObservers.LogCategory)));
        services.AddSingleton(provider => new ResilienceMeter(provider.ResilientClients, provider.GetService<IMeterFactory>()));
    }

    internal static Client Create(IServiceProvider services, string name, Random? random = null)
    {
        var options = services.GetRequiredService<IOptionsFactory<HttpResilienceOptions>>();
        var time = services.GetRequiredService<TimeProvider>();
        var logger = services.LoggerFor(name, Client.LogCategory);
        var clients = services.GetServices<ResilientClient>();
        string httpClientName = clients.HttpClientNameOf(name);
        var client = new Client(
            name, httpClientName, () => options.Create(httpClientName), SourcesOf(services, clients, httpClientName), time, logger)
        {
            Random = random ?? Random.Shared,
        };
        var extensions = client.GetOrAdd(() => new RegisteredExtensions(services, name));
        var stopping = services.GetService<IHostApplicationLifetime>()?.ApplicationStopping ?? CancellationToken.None;
        client.GetOrAdd(() => new WaitingCalls(stopping));
        var reach = WireReach.Of(client);
        client.GetOrAdd(() => new AttemptClassifier(extensions, reach, time, services.LoggerFor<AttemptClassifier>(name)));
        // Its gauges report the circuits of a client from the start, not from the first handler on.
        services.GetRequiredService<ResilienceMeter>();
        UnsafeMethodsNotice.Log(client, logger);
        SamplingNotice.Log(client, logger);
        client.GetOrAdd(() => new ChaosNotice(client, logger));
        client.GetOrAdd(() => new SettingsNotice(client, logger));
        services.ResilientClients.Add(client);
        Observe(client, services.GetRequiredService<CallObservers>());
        return client;
    }

    // The configuration, the sections that code names, and what code has bound the options to itself.
    private static IEnumerable<Func<IChangeToken>> SourcesOf(
        IServiceProvider services, IEnumerable<ResilientClient> clients, string httpClientName)
    {
        if (services.GetService<IConfiguration>() is { } configuration)
            yield return configuration.GetReloadToken;
        foreach (var section in clients.SectionsOf(httpClientName))
            yield return section.GetReloadToken;
        foreach (var source in services.GetServices<IOptionsChangeTokenSource<HttpResilienceOptions>>())
        {
            if (source.Name is null || source.Name == httpClientName)
                yield return source.GetChangeToken;
        }
    }

    private static void Observe(Client client, CallObservers observers)
    {
        if (observers.IsEmpty)
            return;
        client.GetOrAdd(() => observers);
        client.PolicyChanged += () => observers.ClientConfigured(client);
        observers.ClientConfigured(client);
    }
}
