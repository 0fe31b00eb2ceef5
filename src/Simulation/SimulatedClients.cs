using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace HttpResilience.Simulation;

/// <summary>
/// Creates clients as an application does, with a simulated host and clock, each with its own state as in a separate process.
/// </summary>
internal sealed class SimulatedClients(VirtualTime time, HttpMessageHandler host) : IDisposable
{
    internal const string Name = "api";

    private readonly List<ServiceProvider> _providers = [];

    /// <summary>A client with the chain.</summary>
    /// <param name="seed">The seed of the jitter.</param>
    /// <param name="configure">Null for the built-in defaults.</param>
    /// <param name="add">Adds services to its container.</param>
    /// <param name="build">Adds handlers to it.</param>
    /// <param name="name">Its name in the configuration that <paramref name="add"/> may have added.</param>
    internal HttpClient WithChain(
        int seed, Action<HttpResilienceOptions>? configure = null, Action<IServiceCollection>? add = null,
        Action<IHttpClientBuilder>? build = null, string name = Name) =>
        With(services =>
        {
            add?.Invoke(services);
            var client = services.AddResilientHttpClient(name, configure);
            build?.Invoke(client);
            services.AddKeyedSingleton(name, (provider, _) => ClientFactory.Create(provider, name, new Random(seed)));
            return client;
        });

    /// <summary>A plain factory client.</summary>
    /// <param name="add">Adds services to its container.</param>
    internal HttpClient Bare(Action<IServiceCollection>? add = null) => With(services =>
    {
        add?.Invoke(services);
        return services.AddHttpClient(Name);
    });

    /// <summary>A client of another kind.</summary>
    internal HttpClient With(Func<IServiceCollection, IHttpClientBuilder> add)
    {
        var services = new ServiceCollection();
        services.AddSingleton<TimeProvider>(time);
        // HttpClient.Timeout and handler rotation use the system clock, so both are off in virtual time.
        var client = add(services).ConfigureHttpClient(c => c.Timeout = Timeout.InfiniteTimeSpan)
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan).ConfigurePrimaryHttpMessageHandler(() => host);
        var provider = services.BuildServiceProvider();
        _providers.Add(provider);
        return provider.GetRequiredService<IHttpClientFactory>().CreateClient(client.Name);
    }

    /// <summary>Starts the background services of the clients, as a host does.</summary>
    internal async Task StartAsync()
    {
        foreach (var service in _providers.SelectMany(p => p.GetServices<IHostedService>()))
            await service.StartAsync(CancellationToken.None).ConfigureAwait(false);
    }

    public void Dispose() => _providers.ForEach(p => p.Dispose());
}
