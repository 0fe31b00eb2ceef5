namespace HttpResilience.Tests.CircuitBreaker;

/// <summary>The classic breaker, for tests of what an open circuit rejects.</summary>
internal static class ClassicCircuit
{
    /// <summary>The circuit of version 0.1: long breaks, and calls that fail at once.</summary>
    internal static CircuitBreakerOptions UseClassic(this CircuitBreakerOptions options)
    {
        (options.MaxWait, options.BreakDuration, options.MaxBreakDuration, options.FailureRatio, options.FailureDuration) =
            (null, TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(5), 0.1, null);
        return options;
    }
}
