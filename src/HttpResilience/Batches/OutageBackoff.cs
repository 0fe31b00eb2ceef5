namespace HttpResilience;

/// <summary>Delays records whose host rejects calls before anything is sent.</summary>
/// <param name="timeout">From the first rejection since a call last reached the host.</param>
internal sealed class OutageBackoff(TimeSpan timeout, TimeProvider time)
{
    private static readonly TimeSpan MinDelay = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan DefaultDelay = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, long> _firstRejectedAt = [];

    /// <summary>Resets the hosts that a record has reached, whether it succeeded or failed.</summary>
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

    /// <summary>Decides when a rejected record is tried again.</summary>
    /// <returns>The timestamp of the next try; null when the timeout of the host has passed.</returns>
    internal long? MayWait(BatchRejection rejection)
    {
        long now = time.GetTimestamp();
        var wait = rejection.RetryAfter ?? DefaultDelay;
        lock (_gate)
        {
            if (!_firstRejectedAt.TryGetValue(rejection.Authority, out long first))
                _firstRejectedAt[rejection.Authority] = first = now;
            if (wait > timeout - time.GetElapsedTime(first, now))
                return null;
        }

        return now + time.ToTicks(wait > MinDelay ? wait : MinDelay);
    }
}
