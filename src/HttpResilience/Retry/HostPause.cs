namespace HttpResilience;

/// <summary>
/// The pause that a host requested with Retry-After (RFC 9110 §10.2.3). It applies to every call to the host: calls whose deadline allows
/// it wait, and are released spread out; the others are rejected. Timestamps are arguments and results.
/// </summary>
internal sealed class HostPause
{
    private readonly Lock _gate = new();
    private long _from;
    private long _until;
    private long _pace = long.MaxValue;
    private int _waiting;

    internal long Until => Volatile.Read(ref _until);

    /// <summary>Applies a Retry-After. The longest one holds.</summary>
    /// <param name="pace">The average time between calls to the host, in timestamp ticks; null when unknown.</param>
    /// <param name="measuredOver">
    /// The time over which it was measured. If that contains a pause, the pace from before the pause is used.
    /// </param>
    /// <returns>Whether it starts a pause.</returns>
    internal bool Extend(long now, long until, long? pace = null, long measuredOver = 0)
    {
        lock (_gate)
        {
            if (until <= _until)
                return false;
            bool begins = _until <= now;
            if (begins)
            {
                long measured = pace ?? long.MaxValue;
                (_from, _pace) = (ArrivalOfFirstWaiting(now), now - _until > measuredOver ? measured : Math.Min(_pace, measured));
            }

            Volatile.Write(ref _until, until);
            return begins;
        }
    }

    /// <summary>A call starts to wait; <see cref="Leave"/> ends its wait.</summary>
    /// <returns>The number of calls already waiting.</returns>
    internal int Enter() => Interlocked.Increment(ref _waiting) - 1;

    internal void Leave() => Interlocked.Decrement(ref _waiting);

    /// <summary>
    /// When a call may be sent. Calls that wait are released in the order of their arrival at half the usual pace: together with new calls
    /// the host gets one and a half times its usual load, not all at once. When no new calls arrive because all callers are waiting, the
    /// pace from before the pause is used.
    /// </summary>
    /// <param name="arrivedAt">When the call started to wait, which decides its turn even if the host extends the pause.</param>
    /// <param name="ahead">The number of calls that were waiting at that time.</param>
    /// <param name="deadline">The end of the call.</param>
    /// <param name="maxSpread">
    /// The longest time over which simultaneous calls are spread, in timestamp ticks; at most the length of the pause.
    /// </param>
    /// <param name="random">In [0, 1).</param>
    /// <returns>
    /// <paramref name="now"/> when there is no pause, or the call's turn has come; null when the pause lasts beyond the deadline.
    /// </returns>
    internal long? AdmitAt(long now, long arrivedAt, int ahead, long deadline, long maxSpread, double random)
    {
        if (arrivedAt >= Until)
            return now;

        lock (_gate)
        {
            // A call that waits alone is not followed by others that need room.
            long turn = ahead == 0 ? _until : _until
                + Math.Min(Math.Max(0, arrivedAt - _from) * 2, _pace == long.MaxValue ? long.MaxValue : 2 * ahead * _pace);
            if (now >= _until)
                return turn < deadline ? Math.Max(now, turn) : now;
            if (_until >= deadline)
                return null;

            turn += (long)(Math.Min(maxSpread, _until - _from) * random);
            // The spread must not miss the deadline: then a random time in the first half of what remains.
            return turn < deadline ? turn : _until + (long)((deadline - _until) / 2 * random);
        }
    }

    // Waiting calls go out at half the rate at which they came. A call that arrived after the pause did not wait.
    private long ArrivalOfFirstWaiting(long now)
    {
        long turn = _from + (now - _until) / 2;
        return turn < _until ? turn : now;
    }
}
