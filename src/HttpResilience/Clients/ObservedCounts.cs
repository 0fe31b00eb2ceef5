namespace HttpResilience;

/// <summary>What the limits of a host that only observe would have done since it was last reported.</summary>
internal sealed class ObservedCounts
{
    private readonly Lock _gate = new();
    private long? _attemptsReportedAt;
    private long? _retriesReportedAt;
    private int _rejected;
    private int _waiting;
    private int _retries;

    /// <summary>Counts an attempt.</summary>
    /// <param name="waits">It would have waited; else it would have been rejected.</param>
    /// <param name="interval">The shortest time between two reports, in timestamp ticks.</param>
    /// <returns>The attempts to report; null when it is not time for a report.</returns>
    internal (int Rejected, int Waiting)? CountAttempt(bool waits, long now, long interval)
    {
        lock (_gate)
        {
            if (waits)
                _waiting++;
            else
                _rejected++;
            if (now - _attemptsReportedAt < interval)
                return null;
            var report = (_rejected, _waiting);
            (_attemptsReportedAt, _rejected, _waiting) = (now, 0, 0);
            return report;
        }
    }

    /// <summary>Counts retries.</summary>
    /// <param name="interval">The shortest time between two reports, in timestamp ticks.</param>
    /// <returns>The retries to report; 0 when it is not time for a report.</returns>
    internal int CountRetries(int number, long now, long interval)
    {
        lock (_gate)
        {
            _retries += number;
            if (now - _retriesReportedAt < interval)
                return 0;
            int report = _retries;
            (_retriesReportedAt, _retries) = (now, 0);
            return report;
        }
    }
}
