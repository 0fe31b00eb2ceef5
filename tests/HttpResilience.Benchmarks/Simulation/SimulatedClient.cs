using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Simulation;

/// <summary>Makes clients as an application would, but on a simulated host and clock.</summary>
internal static class SimulatedClient
{
    private const string Name = "api";

    /// <summary>A client with the chain, with state of its own as in a process of its own.</summary>
    /// <param name="seed">Of the jitter.</param>
    internal static HttpClient WithChain(
        VirtualTime time, HttpMessageHandler host, int seed, Action<HttpResilienceOptions>? configure = null, Action<IServiceCollection>? services = null)
    {
        var collection = new ServiceCollection();
        collection.AddSingleton<TimeProvider>(time);
        services?.Invoke(collection);
        return Build(collection, collection.AddResilientHttpClient(Name, configure), host, seed);
    }

    /// <summary>The factory's ordinary client.</summary>
    internal static HttpClient Bare(HttpMessageHandler host, Action<IServiceCollection>? services = null)
    {
        var collection = new ServiceCollection();
        services?.Invoke(collection);
        return Build(collection, collection.AddHttpClient(Name), host, seed: null);
    }

    private static HttpClient Build(ServiceCollection services, IHttpClientBuilder client, HttpMessageHandler host, int? seed)
    {
        // HttpClient's own timeout and the factory's rotation go by the machine's clock, which has no place here.
        client.ConfigureHttpClient(c => c.Timeout = Timeout.InfiniteTimeSpan).SetHandlerLifetime(Timeout.InfiniteTimeSpan)
            .ConfigurePrimaryHttpMessageHandler(() => host);
        if (seed is { } s)
            services.AddKeyedSingleton(Name, (provider, _) => ClientState.Create(provider, Name, new Random(s)));
        return services.BuildServiceProvider().GetRequiredService<IHttpClientFactory>().CreateClient(Name);
    }
}
