using Microsoft.Extensions.DependencyInjection;
using Polly.Telemetry;

namespace HttpResilience.Simulation;

/// <summary>Microsoft's standard handler as it comes, in virtual time: its clock comes from the container.</summary>
internal static class StandardHandler
{
    /// <param name="clients">The clients of the simulation.</param>
    /// <param name="seed">The seed of the jitter.</param>
    /// <param name="listener">Gets the events of its pipeline, on the thread of the simulation.</param>
    /// <param name="add">Adds services to its container.</param>
    internal static HttpClient WithStandardHandler(
        this SimulatedClients clients, int seed, TelemetryListener? listener = null, Action<IServiceCollection>? add = null) =>
        clients.With(services =>
        {
            add?.Invoke(services);
            var client = services.AddHttpClient(SimulatedClients.Name);
            var jitter = new Random(seed);
            client.AddStandardResilienceHandler(options => options.Retry.Randomizer = jitter.NextDouble);
            if (listener is not null)
                services.Configure<TelemetryOptions>(options => options.TelemetryListeners.Add(listener));
            return client;
        });

    /// <summary>Whether its circuit, its limiter or its timeout ended the call.</summary>
    // By name: their base class is in Polly.Core and in Polly, and a project may have both.
    internal static bool IsRejection(Exception exception) =>
        exception.GetType().Namespace?.StartsWith("Polly", StringComparison.Ordinal) is true;
}
