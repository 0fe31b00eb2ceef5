namespace HttpResilience.Tests.CircuitBreaker;

/// <summary>Policies for a clock whose ticks are milliseconds.</summary>
internal static class CircuitPolicies
{
    internal const long Frequency = 1000;

    internal static CircuitPolicy Of(Action<CircuitBreakerOptions>? configure = null)
    {
        var options = new CircuitBreakerOptions();
        options.UseClassic();
        configure?.Invoke(options);
        return CircuitPolicy.From(options, Frequency)!;
    }

    /// <summary>The circuit of version 0.1: long breaks, and calls that fail at once.</summary>
    internal static CircuitBreakerOptions UseClassic(this CircuitBreakerOptions options)
    {
        (options.MaxWait, options.BreakDuration, options.MaxBreakDuration, options.FailureRatio, options.FailureDuration) =
            (null, TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(5), 0.1, null);
        return options;
    }

    internal static CircuitMachine NewCircuit() => new();
}
