extern alias pollycore;

using System.Net;
using Polly;
using Polly.CircuitBreaker;
using Polly.Hedging;
using Polly.Retry;
using Polly.Telemetry;
using TimeoutRejectedException = pollycore::Polly.Timeout.TimeoutRejectedException;

namespace HttpResilience.Peers;

/// <summary>
/// The settings of a pipeline of total timeout, retry, circuit breaker and attempt timeout. It handles <see cref="HttpRequestException"/>,
/// its own timeouts, 408, 429 and all 5xx. The defaults are Polly's, but for the total timeout, which is that of <see cref="HttpClient"/>,
/// and for delays, which double from a second on and have jitter.
/// </summary>
internal sealed record PollySettings
{
    internal TimeSpan Total { get; init; } = TimeSpan.FromSeconds(100);

    internal TimeSpan Attempt { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>0 for a pipeline that does not retry.</summary>
    internal int Retries { get; init; } = 3;

    internal TimeSpan Delay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Whether delays double and have jitter.</summary>
    internal bool Grows { get; init; } = true;

    internal bool Hedges { get; init; }

    internal double FailureRatio { get; init; } = 0.1;

    /// <summary>The attempts in 30 s from which on the circuit opens.</summary>
    internal int MinimumThroughput { get; init; } = 100;

    internal TimeSpan Break { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The clock; null for that of the system.</summary>
    internal TimeProvider? Time { get; init; }

    /// <summary>The source of jitter; null for Polly's own.</summary>
    internal Func<double>? Randomizer { get; init; }

    /// <summary>Gets the events of the pipeline; null for none.</summary>
    internal TelemetryListener? Listener { get; init; }

    internal ResiliencePipeline<HttpResponseMessage> Build()
    {
        var builder = new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = Time, TelemetryListener = Listener };
        builder.AddTimeout(Total);
        if (Retries > 0)
            builder.AddRetry(Retry());
        if (Hedges)
        {
            builder.AddHedging(new HedgingStrategyOptions<HttpResponseMessage>
            {
                Delay = TimeSpan.FromMilliseconds(500),
                MaxHedgedAttempts = 1,
                ShouldHandle = static arguments => new(IsTransient(arguments.Outcome)),
            });
        }

        return builder
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions<HttpResponseMessage>
            {
                FailureRatio = FailureRatio,
                MinimumThroughput = MinimumThroughput,
                SamplingDuration = TimeSpan.FromSeconds(30),
                BreakDuration = Break,
                ShouldHandle = static arguments => new(IsTransient(arguments.Outcome)),
            })
            .AddTimeout(Attempt)
            .Build();
    }

    private RetryStrategyOptions<HttpResponseMessage> Retry()
    {
        var options = new RetryStrategyOptions<HttpResponseMessage>
        {
            MaxRetryAttempts = Retries,
            BackoffType = Grows ? DelayBackoffType.Exponential : DelayBackoffType.Constant,
            UseJitter = Grows,
            Delay = Delay,
            ShouldHandle = static arguments => new(IsTransient(arguments.Outcome)),
        };
        options.Randomizer = Randomizer ?? options.Randomizer;
        return options;
    }

    private static bool IsTransient(Outcome<HttpResponseMessage> outcome) => outcome switch
    {
        { Result: { } response } =>
            response.StatusCode is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError,
        { Exception: HttpRequestException or TimeoutRejectedException } => true,
        _ => false,
    };
}
