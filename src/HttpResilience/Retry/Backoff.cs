namespace HttpResilience;

/// <summary>
/// How long to wait before a retry: <c>min(Delay × Factor^(n−1), MaxDelay)</c>, then jitter. Computed in floating point and clamped, so no
/// number of attempts overflows.
/// </summary>
internal static class Backoff
{
    private const double Longest = 1e15;

    /// <param name="retry">The number of the retry; the first is 1.</param>
    /// <param name="random">In [0, 1).</param>
    /// <param name="previousRandom">What <paramref name="random"/> was for the retry before; ignored for the first.</param>
    internal static TimeSpan Delay(BackoffPolicy policy, int retry, double random, double previousRandom)
    {
        if (policy is { Jitter: JitterMode.Decorrelated, Type: BackoffType.Exponential })
            return Ticks(Math.Min(Decorrelated(policy, retry, random, previousRandom), Cap(policy)));

        double delay = Base(policy, retry);
        return Ticks(policy.Jitter switch
        {
            JitterMode.None => delay,
            JitterMode.Full => delay * random,
            JitterMode.Additive => delay + policy.JitterMaximum.Ticks * random,
            _ => delay * (1 + policy.JitterFactor * (2 * random - 1)),
        });
    }

    /// <summary>What is added to a wait that the server asked for. Its word is a floor: the jitter only adds, at most the usual jitter of one <c>Delay</c>.</summary>
    internal static TimeSpan Spread(BackoffPolicy policy, TimeSpan asked, double random) => Ticks(random * policy.Jitter switch
    {
        JitterMode.None => 0,
        JitterMode.Additive => policy.JitterMaximum.Ticks,
        _ => policy.JitterFactor * Math.Min(asked.Ticks, policy.Delay.Ticks),
    });

    private static double Base(BackoffPolicy policy, int retry) => Math.Min(Cap(policy), policy.Delay.Ticks * policy.Type switch
    {
        BackoffType.Constant => 1,
        BackoffType.Linear => retry,
        _ => Math.Pow(policy.Factor, retry - 1),
    });

    // Decorrelated jitter, version 2 (Polly's wiki, "Retry with jitter"): the difference of a smooth curve at two random points that lie
    // one retry apart on average, scaled so that the median first wait is about Delay.
    private static double Decorrelated(BackoffPolicy policy, int retry, double random, double previousRandom)
    {
        double until = Curve(policy.Factor, retry - 1 + random);
        double from = retry == 1 ? 0 : Curve(policy.Factor, retry - 2 + previousRandom);
        double delay = (until - from) / 1.4 * policy.Delay.Ticks;
        return double.IsNaN(delay) ? Longest : delay;
    }

    private static double Curve(double factor, double t) => Math.Pow(factor, t) * Math.Tanh(Math.Sqrt(4 * t));

    private static double Cap(BackoffPolicy policy) => policy.MaxDelay?.Ticks ?? Longest;

    // 0 × ∞ is not a number: a Delay of zero stays zero whatever it is multiplied with.
    private static TimeSpan Ticks(double ticks) => double.IsNaN(ticks) ? TimeSpan.Zero : TimeSpan.FromTicks((long)Math.Clamp(ticks, 0, Longest));
}
