namespace HttpResilience;

/// <summary>
/// The deadline of a client's calls: TotalRequestTimeout, or a little before <see cref="HttpClient.Timeout"/> when that comes first. The
/// chain ends a call itself, and reports the reason; an end by <see cref="HttpClient"/> would look like a cancellation by the caller.
/// </summary>
internal sealed class ClientDeadline
{
    private WeakReference<HttpClient>? _latest;

    /// <summary>How long before <see cref="HttpClient.Timeout"/> the chain's own deadline is.</summary>
    internal static TimeSpan BackstopMargin(TimeSpan timeout) => TimeSpan.FromTicks(Math.Min(TimeSpan.TicksPerSecond, timeout.Ticks / 10));

    /// <summary>
    /// Remembers a client of a factory that gives requests no <see cref="SendingClient"/>: the latest one is taken for the sender.
    /// </summary>
    internal void Observe(HttpClient client) => Volatile.Write(ref _latest, new(client));

    /// <summary>The client that sends a request; null when a handler of the factory is called without one.</summary>
    internal HttpClient? SenderOf(HttpRequestMessage request) =>
        request.Options.TryGetValue(SendingClient.Key, out var sending) ? sending.HttpClient : Latest;

    /// <summary>Keeps the client of a request with it, where a later stage asks for one that differs from any other.</summary>
    internal void Keep(HttpRequestMessage request, HttpClient sender)
    {
        if (sender.MaxResponseContentBufferSize != int.MaxValue || _latest is not null)
            request.Options.Set(SendingClient.Key, new(sender));
    }

    /// <summary>The latest client; null when requests have a <see cref="SendingClient"/>.</summary>
    internal HttpClient? Latest => Volatile.Read(ref _latest) is { } latest && latest.TryGetTarget(out var client) ? client : null;

    /// <summary>Sets the deadline of a call that starts.</summary>
    /// <param name="sender">The client that sends it; null when that is not known.</param>
    /// <param name="sentAt">When handlers outside the chain got it; 0 when there are none.</param>
    /// <exception cref="ArgumentOutOfRangeException">Its own timeout is longer than that of its client.</exception>
    internal void Set(HttpCall call, HttpClient? sender, long sentAt)
    {
        if ((sender ?? Latest)?.Timeout is not { } timeout || timeout == Timeout.InfiniteTimeSpan)
            return;
        if (call.Timeout > timeout)
        {
            throw new ArgumentOutOfRangeException(
                nameof(call), call.Timeout,
                $"The timeout of the call ({call.Timeout}) is longer than HttpClient.Timeout of client '{call.ClientName}' ({timeout}), "
                + "which would end the call earlier; nothing was sent. Set MaxTimeout to the longest timeout of a call.");
        }

        // Handlers outside the chain have taken time already.
        bool isEarlier = sentAt != 0;
        if (isEarlier || call.Timeout is not null || timeout != call.Policy.Backstop)
        {
            long startedAt = isEarlier ? sentAt : call.StartedAt;
            call.Deadline = Math.Min(call.Deadline, startedAt + call.Policy.ToTimestamp(timeout - BackstopMargin(timeout)));
        }
    }

    /// <summary>
    /// Makes the body of a response end at the deadline of its call, when that is earlier than the longest of its client, at which
    /// <see cref="HttpClient"/> ends the buffering of a body.
    /// </summary>
    internal static void LimitBody(HttpResponseMessage response, HttpCall call)
    {
        if ((call.Timeout ?? call.Policy.TotalRequestTimeout) is { } timeout && !(timeout >= call.Policy.LongestTotal)
            && response.Content.Headers.ContentLength != 0)
            response.Content = UntilDeadline(response.Content, call);
    }

    // A method of its own: the closure is allocated only when it is needed.
    private static DeadlineContent UntilDeadline(HttpContent content, HttpCall call) => new(content, call.Time, call.Deadline, cause =>
    {
        string message = $"The response body was not read before {NameOf(call)} of client '{call.ClientName}' had passed.";
        var exception = new TaskCanceledException(message, new TimeoutException(message, cause));
        exception.SetHttpCall(call);
        return exception;
    });

    /// <summary>
    /// The timestamp at which the last attempt of a call is over, so that an outer stage still has time before the deadline.
    /// </summary>
    internal static long LastAttemptEndOf(HttpCall call) => call.Deadline is var deadline and not long.MaxValue
        ? deadline - Math.Min(call.DeadlineReserve, (deadline - call.StartedAt) / 10)
        : long.MaxValue;

    /// <summary>The setting that the deadline of a call comes from, for messages.</summary>
    internal static string NameOf(HttpCall call)
    {
        if (call.Deadline < call.Policy.DeadlineFrom(call.StartedAt, call.Timeout))
            return "HttpClient.Timeout";
        return call.Timeout is { } own ? $"the timeout of the call ({own})" : $"TotalRequestTimeout ({call.Policy.TotalRequestTimeout})";
    }
}
