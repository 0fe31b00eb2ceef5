using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace HttpResilience;

/// <summary>Makes a client from the services of its container, and logs its notable settings.</summary>
internal static class ClientFactory
{
    internal static void AddTo(IServiceCollection services)
    {
        services.AddKeyedSingleton(KeyedService.AnyKey, (provider, name) => Create(provider, (string)name!));
        SendingClientFactory.AddTo(services);
    }

    internal static Client Create(IServiceProvider services, string name, Random? random = null)
    {
        var options = services.GetRequiredService<IOptionsFactory<HttpResilienceOptions>>();
        var time = services.GetRequiredService<TimeProvider>();
        var logger = services.LoggerFor(name, Client.LogCategory);
        var client = new Client(name, options, services.GetService<IConfiguration>(), time, logger)
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
        services.GetRequiredService<ResilientClients>().Add(client);
        Observe(client, services.GetRequiredService<CallObservers>());
        return client;
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
