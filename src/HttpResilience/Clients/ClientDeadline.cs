namespace HttpResilience;

/// <summary>
/// The deadline of a client's calls: TotalRequestTimeout, or a little before <see cref="HttpClient.Timeout"/> when that comes first. The
/// chain ends a call itself, and reports the reason; an end by <see cref="HttpClient"/> would look like a cancellation by the caller.
/// </summary>
internal sealed class ClientDeadline
{
    private static readonly TimeSpan Backstop = TimeSpan.FromSeconds(1);

    private long _httpClientTimeout = long.MaxValue;

    /// <summary>The <see cref="HttpClient.Timeout"/> of a client for which the application sets none.</summary>
    internal static TimeSpan BackstopOf(ResiliencePolicy policy) => policy.TotalRequestTimeout + Backstop ?? Timeout.InfiniteTimeSpan;

    /// <summary>How long before <see cref="HttpClient.Timeout"/> the chain's own deadline is.</summary>
    internal static TimeSpan BackstopMargin(TimeSpan timeout) => TimeSpan.FromTicks(Math.Min(TimeSpan.TicksPerSecond, timeout.Ticks / 10));

    internal void Observe(TimeSpan timeout, ResiliencePolicy policy) => Volatile.Write(
        ref _httpClientTimeout,
        timeout == Timeout.InfiniteTimeSpan ? long.MaxValue : policy.ToTimestamp(timeout - BackstopMargin(timeout)));

    /// <summary>The timestamp at which a call is over.</summary>
    internal long Of(HttpCall call) => call.Policy.DeadlineFrom(call.StartedAt, Volatile.Read(ref _httpClientTimeout));

    /// <summary>
    /// The timestamp at which the last attempt of a call is over, so that an outer stage still has time before the deadline.
    /// </summary>
    internal long LastAttemptEndOf(HttpCall call) =>
        Of(call) is var deadline and not long.MaxValue ? deadline - call.DeadlineReserve : long.MaxValue;

    /// <summary>The setting that the deadline of a call comes from, for messages.</summary>
    internal string NameOf(HttpCall call) => Of(call) < call.Policy.DeadlineFrom(call.StartedAt, long.MaxValue)
        ? "HttpClient.Timeout"
        : $"TotalRequestTimeout ({call.Policy.TotalRequestTimeout})";
}
