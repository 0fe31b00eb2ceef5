namespace HttpResilience;

/// <summary>How long records wait for hosts that turn them away before anything is sent.</summary>
/// <param name="timeout">From the first rejection since something last got through to the host.</param>
internal sealed class OutageBackoff(TimeSpan timeout, TimeProvider time)
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan WhenNotSaid = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, long> _firstRejectedAt = [];

    /// <summary>A record has come through, to whatever end.</summary>
    internal void Passed(CallCollector calls)
    {
        lock (_gate)
        {
            if (_firstRejectedAt.Count == 0)
                return;
            foreach (string authority in calls.Authorities)
                _firstRejectedAt.Remove(authority);
        }
    }

    /// <summary>A record was turned away.</summary>
    /// <returns>The timestamp at which it is tried again; null when timeout with the host is at its end.</returns>
    internal long? MayWait(BatchRejection rejection)
    {
        long now = time.GetTimestamp();
        var wait = rejection.RetryAfter ?? WhenNotSaid;
        lock (_gate)
        {
            if (!_firstRejectedAt.TryGetValue(rejection.Authority, out long first))
                _firstRejectedAt[rejection.Authority] = first = now;
            if (wait > timeout - time.GetElapsedTime(first, now))
                return null;
        }

        return now + time.ToTicks(wait > Shortest ? wait : Shortest);
    }
}
