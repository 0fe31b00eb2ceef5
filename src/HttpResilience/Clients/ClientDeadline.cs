namespace HttpResilience;

/// <summary>
/// The deadline of a client's calls: TotalRequestTimeout, or a little before <see cref="HttpClient.Timeout"/> when that comes first. The
/// chain ends a call itself, and reports the reason; an end by <see cref="HttpClient"/> would look like a cancellation by the caller.
/// </summary>
internal sealed class ClientDeadline
{
    private static readonly TimeSpan Backstop = TimeSpan.FromSeconds(1);

    private WeakReference<HttpClient>? _latest;

    /// <summary>The <see cref="HttpClient.Timeout"/> of a client for which the application sets none.</summary>
    internal static TimeSpan BackstopOf(ResiliencePolicy policy) => policy.TotalRequestTimeout + Backstop ?? Timeout.InfiniteTimeSpan;

    /// <summary>How long before <see cref="HttpClient.Timeout"/> the chain's own deadline is.</summary>
    internal static TimeSpan BackstopMargin(TimeSpan timeout) => TimeSpan.FromTicks(Math.Min(TimeSpan.TicksPerSecond, timeout.Ticks / 10));

    /// <summary>
    /// Remembers a client of a factory that does not tell the sender of a request: the latest one is taken for the sender.
    /// </summary>
    internal void Observe(HttpClient client) => Volatile.Write(ref _latest, new(client));

    /// <summary>The client that sends a request; null when a handler of the factory is called without one.</summary>
    internal HttpClient? SenderOf(HttpRequestMessage request) => request.Options.TryGetValue(SendingClient.Key, out var sending)
        ? sending.HttpClient
        : Volatile.Read(ref _latest) is { } latest && latest.TryGetTarget(out var client) ? client : null;

    /// <summary>Sets the deadline of a call that starts.</summary>
    internal void Set(HttpCall call, HttpRequestMessage request)
    {
        if (SenderOf(request)?.Timeout is not { } timeout || timeout == Timeout.InfiniteTimeSpan)
            return;

        bool isEarlier = request.Options.TryGetValue(SendingClient.Key, out var sending) && sending.StartedAt != 0;
        if (isEarlier || timeout != BackstopOf(call.Policy))
        {
            long startedAt = isEarlier ? sending!.StartedAt : call.StartedAt;
            call.Deadline = Math.Min(call.Deadline, startedAt + call.Policy.ToTimestamp(timeout - BackstopMargin(timeout)));
        }
    }

    /// <summary>
    /// The timestamp at which the last attempt of a call is over, so that an outer stage still has time before the deadline.
    /// </summary>
    internal static long LastAttemptEndOf(HttpCall call) => call.Deadline is var deadline and not long.MaxValue
        ? deadline - Math.Min(call.DeadlineReserve, (deadline - call.StartedAt) / 10)
        : long.MaxValue;

    /// <summary>The setting that the deadline of a call comes from, for messages.</summary>
    internal static string NameOf(HttpCall call) => call.Deadline < call.Policy.DeadlineFrom(call.StartedAt)
        ? "HttpClient.Timeout"
        : $"TotalRequestTimeout ({call.Policy.TotalRequestTimeout})";
}
