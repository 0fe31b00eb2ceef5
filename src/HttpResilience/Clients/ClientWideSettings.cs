namespace HttpResilience;

/// <summary>The settings that cannot differ per route, because they configure what all calls of a client share.</summary>
internal static class ClientWideSettings
{
    private const string Circuit = "the circuit of a host is one for all calls";
    private const string Budget = "the retry budget of a host is one for all calls";
    private const string Letters = "the letters of the client are stored together";

    // A section stands for all its keys.
    private static readonly Dictionary<string, (string Why, string? Null)> Reasons = new(StringComparer.OrdinalIgnoreCase)
    {
        ["BaseAddress"] = ("the route is chosen by the address of the request", null),
        ["MaxTimeout"] = ("HttpClient.Timeout follows from it, which is one for all calls", null),
        ["Routes"] = ("a route has no routes of its own", null),
        ["Retry:Budget:RetryRatio"] = (Budget, "does not count the calls of the route"),
        ["Retry:Budget:SamplingDuration"] = (Budget, null),
        ["Retry:Budget:MinimumThroughput"] = (Budget, null),
        ["Retry:Budget:Mode"] = (Budget, null),
        ["Retry:MaxReplayBytesInFlight"] = ("the memory is that of all calls", null),
        ["CircuitBreaker:FailureThreshold"] = (Circuit, null),
        ["CircuitBreaker:FailureDuration"] = (Circuit, null),
        ["CircuitBreaker:FailureRatio"] = (Circuit, null),
        ["CircuitBreaker:MinimumThroughput"] = (Circuit, null),
        ["CircuitBreaker:SamplingDuration"] = (Circuit, null),
        ["CircuitBreaker:BreakDuration"] = (Circuit, "takes the calls of the route past the circuit"),
        ["CircuitBreaker:MaxBreakDuration"] = (Circuit, null),
        ["CircuitBreaker:HalfOpenProbes"] = (Circuit, null),
        ["CircuitBreaker:SuccessThreshold"] = (Circuit, null),
        ["CircuitBreaker:SlowCallRatio"] = (Circuit, null),
        ["CircuitBreaker:Isolation"] = (Circuit, null),
        ["CircuitBreaker:MaxCircuits"] = ("the state of hosts is one for all calls", null),
        ["Fallback:MaxBytes"] = ("the memory is that of all calls", null),
        ["DeadLetter:AllowedAuthorities"] = (Letters, null),
        ["DeadLetter:Protect"] = (Letters, null),
        ["DeadLetter:Retention"] = (Letters, null),
        ["ErrorBudget"] = ("the error budget counts all calls", null),
        ["Logging:KeepFactoryLogging"] = ("the factory logs for all calls", null),
    };

    /// <summary>Why a key cannot be set for a route; null when it can.</summary>
    /// <param name="key">The path of the key below the client.</param>
    /// <param name="isNull">Its value is null.</param>
    internal static string? ReasonFor(string key, bool isNull)
    {
        int colon = key.IndexOf(':', StringComparison.Ordinal);
        if (!Reasons.TryGetValue(key, out var reason) && (colon < 0 || !Reasons.TryGetValue(key[..colon], out reason)))
            return null;
        if (reason.Null is null)
            return $"cannot differ per route: {reason.Why}";
        return isNull ? null : $"can only be null in a route, which {reason.Null}: {reason.Why}";
    }
}
