namespace HttpResilience;

/// <summary>What the end of an attempt says about the load of its host.</summary>
internal enum LoadSign
{
    /// <summary>Nothing: it was cancelled, failed for a reason of its own, or an error came faster than an answer.</summary>
    None,

    /// <summary>The host has answered; its latency counts.</summary>
    Answered,

    /// <summary>The host has too much to do: it said so, or the attempt timed out, or the connection broke.</summary>
    Overloaded,
}

/// <summary>The rules around <see cref="AdaptiveLimit"/>: what a response says, and which attempt may wait.</summary>
internal static class ConcurrencyRules
{
    /// <summary>The longest queue of a host.</summary>
    internal const int MaxWaiting = 10_000;

    // A queue that does not get empty is not a burst: it only adds to the latency of every call.
    private const int ShortWaitInLatencies = 10;

    /// <summary>What a response says.</summary>
    internal static LoadSign SignOf(int status) => status switch
    {
        429 or 503 or 504 => LoadSign.Overloaded,
        >= 500 => LoadSign.None,
        _ => LoadSign.Answered,
    };

    /// <summary>What an attempt without a response says.</summary>
    internal static LoadSign SignOf(in AttemptResult failure) =>
        failure.CircuitOutcome is CircuitOutcome.Failure ? LoadSign.Overloaded : LoadSign.None;

    /// <summary>
    /// Whether another attempt may wait. One that arrives in a burst may wait for half of its time, so that the other half is left for the
    /// host; when attempts have waited for a while, only for a second or ten times the latency of the host, whichever is longer.
    /// </summary>
    /// <param name="waiting">The attempts that wait already.</param>
    /// <param name="latency">The mean latency of the host, in timestamp ticks; 0 when unknown.</param>
    /// <param name="waitingFor">How long the queue has not been empty, in timestamp ticks.</param>
    /// <param name="left">The time until the end of the attempt, in timestamp ticks.</param>
    internal static bool MayWait(ConcurrencyPolicy policy, int waiting, int limit, double latency, long waitingFor, long left)
    {
        if (waiting >= MaxWaiting || left <= 1)
            return false;
        double longest = left / 2.0;
        if (waitingFor >= policy.ShortWait)
            longest = Math.Min(longest, Math.Max(policy.ShortWait, ShortWaitInLatencies * latency));
        return (waiting + 1) * latency / limit <= longest;
    }
}
