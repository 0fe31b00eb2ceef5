using System.Net;

namespace HttpResilience.Simulation;

/// <summary>
/// A circuit that opens in part: it rejects a share of the attempts when a host fails a share of them. Tried beside the default; see
/// docs/circuit-adaptive.md. It stands inside the chain, whose own circuit is off.
/// </summary>
internal abstract class AdaptiveHandler(TimeProvider time, int seed, TimeSpan sampling, int parts) : DelegatingHandler
{
    private readonly Random _random = new(seed);
    private readonly (long Part, int Succeeded, int Failed)[] _parts = new (long, int, int)[parts];

    /// <summary>The share of attempts that is rejected now.</summary>
    protected abstract double RejectionRate { get; }

    /// <summary>The number of the part of the sampling duration that is current.</summary>
    protected long Part => time.GetTimestamp() / (sampling.Ticks / parts);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (_random.NextDouble() < RejectionRate)
            throw new CircuitOpenException(request.RequestUri!.GetLeftPart(UriPartial.Authority), retryAfter: null);
        bool failed = true;
        try
        {
            var response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
            failed = response.StatusCode >= HttpStatusCode.InternalServerError;
            return response;
        }
        finally
        {
            Count(failed);
        }
    }

    /// <summary>The attempts in the sampling duration.</summary>
    protected (int Succeeded, int Failed) Sum()
    {
        long oldest = Part - parts + 1;
        return _parts.Where(p => p.Part >= oldest).Aggregate(
            (Succeeded: 0, Failed: 0), (sum, p) => (sum.Succeeded + p.Succeeded, sum.Failed + p.Failed));
    }

    private void Count(bool failed)
    {
        ref var part = ref _parts[Part % parts];
        if (part.Part != Part)
            part = (Part, 0, 0);
        part = failed ? part with { Failed = part.Failed + 1 } : part with { Succeeded = part.Succeeded + 1 };
    }
}

/// <summary>
/// The rule and the defaults of failsafe-go's adaptive throttler: rejects what exceeds the successes by more than a ninth, at most nine in
/// ten, over a minute.
/// </summary>
internal sealed class ThrottlingHandler(TimeProvider time, int seed) : AdaptiveHandler(time, seed, TimeSpan.FromMinutes(1), parts: 20)
{
    private const double MinSuccessRate = 0.9, MaxRejectionRate = 0.9;

    protected override double RejectionRate
    {
        get
        {
            var (succeeded, failed) = Sum();
            int attempts = succeeded + failed;
            return Math.Min(MaxRejectionRate, Math.Max(0, attempts - succeeded / MinSuccessRate) / (attempts + 1));
        }
    }
}

/// <summary>
/// The rule of Shopify's adaptive circuit breaker: once a second a controller raises the share of rejections as long as the share of
/// failures, in the last 10 s, is above that of a healthy host.
/// </summary>
internal sealed class ControllerHandler(TimeProvider time, int seed) : AdaptiveHandler(time, seed, TimeSpan.FromSeconds(10), parts: 10)
{
    private const double HealthyRate = 0.05, DeadZone = 0.25, Proportional = 1, Integral = 0.1, MaxIntegral = 10;

    private double _rejectionRate;
    private double _integral;
    private long _updated;

    protected override double RejectionRate
    {
        get
        {
            if (_updated == 0)
                _updated = Part;
            for (; _updated < Part; _updated++)
                Update();
            return _rejectionRate;
        }
    }

    private void Update()
    {
        var (succeeded, failed) = Sum();
        double delta = (double)failed / Math.Max(1, succeeded + failed) - HealthyRate;
        if (delta > 0)
            delta = Math.Max(0, delta - HealthyRate * DeadZone);
        // What is rejected already counts less the more fails.
        double error = delta - (1 - delta) * _rejectionRate;
        _integral = Math.Clamp(_integral + error, -MaxIntegral, MaxIntegral);
        _rejectionRate = Math.Clamp(_rejectionRate + Proportional * error + Integral * _integral, 0, 1);
    }
}
