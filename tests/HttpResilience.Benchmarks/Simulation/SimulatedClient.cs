using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Simulation;

/// <summary>Creates clients as an application does, with a simulated host and clock.</summary>
internal static class SimulatedClient
{
    private const string Name = "api";

    /// <summary>A client with the chain and its own state, as in a separate process.</summary>
    /// <param name="seed">The seed of the jitter.</param>
    internal static HttpClient WithChain(
        VirtualTime time, HttpMessageHandler host, int seed, Action<HttpResilienceOptions>? configure = null,
        Action<IServiceCollection>? services = null)
    {
        var collection = new ServiceCollection();
        collection.AddSingleton<TimeProvider>(time);
        services?.Invoke(collection);
        return Build(collection, collection.AddResilientHttpClient(Name, configure), host, seed);
    }

    /// <summary>A plain factory client.</summary>
    internal static HttpClient Bare(HttpMessageHandler host, Action<IServiceCollection>? services = null)
    {
        var collection = new ServiceCollection();
        services?.Invoke(collection);
        return Build(collection, collection.AddHttpClient(Name), host, seed: null);
    }

    private static HttpClient Build(ServiceCollection services, IHttpClientBuilder client, HttpMessageHandler host, int? seed)
    {
        // HttpClient.Timeout and handler rotation use the system clock, so both are off in virtual time.
        client.ConfigureHttpClient(c => c.Timeout = Timeout.InfiniteTimeSpan).SetHandlerLifetime(Timeout.InfiniteTimeSpan)
            .ConfigurePrimaryHttpMessageHandler(() => host);
        if (seed is { } s)
            services.AddKeyedSingleton(Name, (provider, _) => ClientFactory.Create(provider, Name, new Random(s)));
        return services.BuildServiceProvider().GetRequiredService<IHttpClientFactory>().CreateClient(Name);
    }
}
