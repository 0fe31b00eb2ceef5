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

    internal static CircuitMachine NewCircuit() => new();
}
