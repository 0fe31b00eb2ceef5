using System.Runtime.CompilerServices;
using HttpResilience.Peers;
using Microsoft.Extensions.DependencyInjection;
using Polly.Telemetry;
using Refit;

namespace HttpResilience.Simulation;

/// <summary>Polly alone and Refit's retry handler, as they come, in virtual time.</summary>
internal static class OtherClients
{
    private static readonly HttpRequestOptionsKey<StrongBox<int>> Failures = new(nameof(Failures));

    /// <param name="clients">The clients of the simulation.</param>
    /// <param name="time">The clock.</param>
    /// <param name="seed">The seed of the jitter.</param>
    /// <param name="listener">Gets the events of its pipeline.</param>
    internal static HttpClient WithPolly(this SimulatedClients clients, VirtualTime time, int seed, TelemetryListener listener)
    {
        var settings = new PollySettings { Time = time, Randomizer = new Random(seed).NextDouble, Listener = listener };
        return clients.With(services =>
            services.AddHttpClient(SimulatedClients.Name).AddHttpMessageHandler(() => new OnePipelineHandler(settings)));
    }

    /// <param name="clients">The clients of the simulation.</param>
    /// <param name="time">The clock.</param>
    /// <param name="seed">The seed of the jitter.</param>
    internal static HttpClient WithRefit(this SimulatedClients clients, VirtualTime time, int seed)
    {
        var options = new HttpRetryOptions { TimeProvider = time };
        var jitter = new Random(seed);
        // Its own jitter has no seed; this is the same delay, and simulated hosts send no Retry-After.
        options.DelayProvider = (response, _, _) => NextDelay(options, jitter, response.RequestMessage!);
        return clients.With(services => services.AddHttpClient(SimulatedClients.Name)
            .AddHttpMessageHandler(() => new FailureCounter()).AddHttpMessageHandler(() => new HttpRetryHandler(options)));
    }

    private static TimeSpan NextDelay(HttpRetryOptions options, Random jitter, HttpRequestMessage request)
    {
        request.Options.TryGetValue(Failures, out var failures);
        var longest = options.BaseDelay * Math.ScaleB(1, failures!.Value++);
        return (longest < options.MaxDelay ? longest : options.MaxDelay) * jitter.NextDouble();
    }

    /// <summary>Gives the copies of a request, which the handler sends, one count of their failures.</summary>
    private sealed class FailureCounter : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Options.Set(Failures, new());
            return base.SendAsync(request, cancellationToken);
        }
    }
}
