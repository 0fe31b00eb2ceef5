namespace HttpResilience;

/// <summary>
/// How long to wait before a retry: <c>min(Delay × Factor^(n−1), MaxDelay)</c>, then jitter. Computed in floating point and clamped, so
/// no number of attempts overflows.
/// </summary>
internal static class Backoff
{
    private const double Longest = 1e15;

    /// <param name="retry">The number of the retry; the first is 1.</param>
    /// <param name="random">In [0, 1).</param>
    /// <param name="previousRandom">The value of <paramref name="random"/> for the previous retry; ignored for the first.</param>
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

    /// <summary>
    /// The jitter added to a Retry-After. It is never negative, because the server's delay is a minimum, and at most the usual jitter of
    /// one <c>Delay</c>.
    /// </summary>
    internal static TimeSpan Spread(BackoffPolicy policy, TimeSpan asked, double random) => Ticks(random * policy.Jitter switch
    {
        JitterMode.None => 0,
        JitterMode.Additive => policy.JitterMaximum.Ticks,
        _ => policy.JitterFactor * Math.Min(asked.Ticks, policy.Delay.Ticks),
    });

    private static double Base(BackoffPolicy policy, int retry) => Math.Min(Cap(policy), Uncapped(policy, retry));

    // The growth is bounded before the multiplication: infinity times a Delay of zero is not a number.
    private static double Uncapped(BackoffPolicy policy, int retry) => policy.Delay.Ticks * policy.Type switch
    {
        BackoffType.Constant => 1,
        BackoffType.Linear => retry,
        _ => Math.Min(Math.Pow(policy.Factor, retry - 1), Longest),
    };

    // Polly's decorrelated jitter v2 (its wiki, "Retry with jitter"), scaled to BackoffFactor: at a factor of 2 the waits are Polly's. The
    // divisor 1.4 makes the median first wait about Delay.
    private static double Decorrelated(BackoffPolicy policy, int retry, double random, double previousRandom)
    {
        double until = Curve(retry - 1, random);
        double from = retry == 1 ? 0 : Curve(retry - 2, previousRandom) / 2;
        return Uncapped(policy, retry) * (until - from) / 1.4;
    }

    // 2^t × tanh(√(4t)) at t = retriesBefore + random, in units of 2^retriesBefore.
    private static double Curve(int retriesBefore, double random) =>
        Math.Pow(2, random) * Math.Tanh(Math.Sqrt(4 * (retriesBefore + random)));

    private static double Cap(BackoffPolicy policy) => policy.MaxDelay?.Ticks ?? Longest;

    private static TimeSpan Ticks(double ticks) => TimeSpan.FromTicks((long)Math.Clamp(ticks, 0, Longest));
}
