using System.Globalization;
using System.Net;
using Polly;
using Polly.Simmy;
using Polly.Simmy.Fault;
using Polly.Simmy.Latency;
using Polly.Simmy.Outcomes;

namespace HttpResilience;

/// <summary>
/// An immutable snapshot of <see cref="ChaosOptions"/>: Polly's chaos strategies, outermost first: latency, fault, status.
/// </summary>
internal sealed class ChaosPolicy
{
    private readonly Lock _gate = new();
    private readonly Random? _seeded;

    private ChaosPolicy(ChaosOptions options, TimeProvider time)
    {
        _seeded = options.Seed is { } seed ? new Random(seed) : null;
        var (latency, fault, status) = (
            Rate(options.Latency.InjectionRate), Rate(options.Fault.InjectionRate), Rate(options.Status.InjectionRate));
        var (delay, code) = (options.Latency.Duration, options.Status.StatusCode);
        var answer = (HttpStatusCode)options.Status.StatusCode;
        double Rate(double? own) => own ?? options.InjectionRate;

        Description = string.Create(CultureInfo.InvariantCulture,
            $"{latency:0.##%} of the attempts are held up for {delay}, {fault:0.##%} fail, {status:0.##%} get a {code}");
        Pipeline = new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = time }
            .AddChaosLatency(new ChaosLatencyStrategyOptions
            {
                InjectionRate = latency,
                Latency = options.Latency.Duration,
                Randomizer = Next,
            })
            .AddChaosFault(new ChaosFaultStrategyOptions
            {
                InjectionRate = fault,
                FaultGenerator = static _ => new(CutConnection()),
                Randomizer = Next,
            })
            .AddChaosOutcome(new ChaosOutcomeStrategyOptions<HttpResponseMessage>
            {
                InjectionRate = status,
                OutcomeGenerator = _ => new(Outcome.FromResult(new HttpResponseMessage(answer) { ReasonPhrase = "Injected" })),
                Randomizer = Next,
            })
            .Build();
    }

    internal ResiliencePipeline<HttpResponseMessage> Pipeline { get; }

    /// <summary>The injected faults and their rates, for the log.</summary>
    internal string Description { get; }

    internal static ChaosPolicy? From(ChaosOptions options, TimeProvider time) => options.Enabled ? new(options, time) : null;

    // As ambiguous as a real one: to the rest of the chain the request may have been processed.
    private static HttpRequestException CutConnection() =>
        new(HttpRequestError.ResponseEnded, "The connection was cut (injected by Chaos:Fault).");

    private double Next()
    {
        if (_seeded is null)
            return Random.Shared.NextDouble();
        lock (_gate)
            return _seeded.NextDouble();
    }
}
