namespace HttpResilience;

/// <summary>Holds the records of a batch back while their calls are rejected before anything is sent, for as long as that may last.</summary>
/// <param name="patience">How long after the last call that was not rejected.</param>
internal sealed class OutageGate(TimeSpan patience, TimeProvider time)
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan WhenNotSaid = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private long _lastPassedAt = time.GetTimestamp();
    private long _opensAt = long.MinValue;

    /// <summary>A record has come through, to whatever end.</summary>
    internal void Passed() => Volatile.Write(ref _lastPassedAt, time.GetTimestamp());

    /// <summary>A record was rejected.</summary>
    /// <param name="retryAfter">When it may be tried again; null when that was not said.</param>
    /// <returns>False when patience is at its end.</returns>
    internal bool Hold(TimeSpan? retryAfter)
    {
        long now = time.GetTimestamp();
        var left = patience - time.GetElapsedTime(Volatile.Read(ref _lastPassedAt), now);
        var wait = retryAfter ?? WhenNotSaid;
        if (left <= TimeSpan.Zero || wait > left)
            return false;

        long opensAt = now + ToTimestamp(wait > Shortest ? wait : Shortest);
        lock (_gate)
            _opensAt = Math.Max(_opensAt, opensAt);
        return true;
    }

    internal async ValueTask PassAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            long opensAt;
            lock (_gate)
                opensAt = _opensAt;
            if (opensAt <= time.GetTimestamp())
                return;
            await Wait.UntilAsync(time, opensAt, async: true, cancellationToken).ConfigureAwait(false);
        }
    }

    private long ToTimestamp(TimeSpan duration) => (long)Math.Ceiling(duration.TotalSeconds * time.TimestampFrequency);
}
