namespace HttpResilience;

/// <summary>
/// The time for which a host asked to be left alone (RFC 9110 §10.2.3). It holds for every call to the host: those that can wait do, and come back
/// spread out; the others are refused. Timestamps come in, a timestamp comes out.
/// </summary>
internal sealed class HostPause
{
    private readonly Lock _gate = new();
    private long _from;
    private long _until;
    private long _pace = long.MaxValue;
    private int _waiting;

    internal long Until => Volatile.Read(ref _until);

    /// <summary>Takes a wish of the host. The longest one holds.</summary>
    /// <param name="pace">How far apart calls to the host have been, in timestamp ticks; null when that is not known.</param>
    /// <param name="measuredOver">Over what time that was. A pause in it makes calls look rarer than they are: then the pace is that of before.</param>
    /// <returns>Whether a pause begins with it.</returns>
    internal bool Extend(long now, long until, long? pace = null, long measuredOver = 0)
    {
        lock (_gate)
        {
            if (until <= _until)
                return false;
            bool begins = _until <= now;
            if (begins)
                (_from, _pace) = (FirstOfThoseThatStillWait(now), now - _until > measuredOver ? pace ?? long.MaxValue : Math.Min(_pace, pace ?? long.MaxValue));
            Volatile.Write(ref _until, until);
            return begins;
        }
    }

    /// <summary>A call begins to wait; <see cref="Leave"/> when it does no longer.</summary>
    /// <returns>How many wait already.</returns>
    internal int Enter() => Interlocked.Increment(ref _waiting) - 1;

    internal void Leave() => Interlocked.Decrement(ref _waiting);

    /// <summary>
    /// When a call may be sent. During a pause calls gather; they are let go in the order in which they came and at half the pace, so that together with
    /// the calls that come by themselves then, the host sees one and a half times its usual load and not all at once. Where calls stop coming because all
    /// that make them are waiting, the pace is that of before the pause.
    /// </summary>
    /// <param name="arrivedAt">When the call first found a pause: its turn goes by that, however often the host asks.</param>
    /// <param name="ahead">How many were waiting then.</param>
    /// <param name="deadline">The end of the call.</param>
    /// <param name="maxSpread">Over what time calls that came together are spread at the most, in timestamp ticks; never longer than the pause was.</param>
    /// <param name="random">In [0, 1).</param>
    /// <returns><paramref name="now"/> when there is no pause, or the call's turn has come; null when the pause lasts beyond the deadline.</returns>
    internal long? AdmitAt(long now, long arrivedAt, int ahead, long deadline, long maxSpread, double random)
    {
        if (arrivedAt >= Until)
            return now;

        lock (_gate)
        {
            long turn = _until + Math.Min(Math.Max(0, arrivedAt - _from) * 2, _pace == long.MaxValue ? long.MaxValue : 2 * ahead * _pace);
            if (now >= _until)
                return turn < deadline ? Math.Max(now, turn) : now;
            if (_until >= deadline)
                return null;

            turn += (long)(Math.Min(maxSpread, _until - _from) * random);
            // Being polite is no reason to miss the deadline: then anywhere in the first half of what is left.
            return turn < deadline ? turn : _until + (long)((deadline - _until) / 2 * random);
        }
    }

    // After a pause half a second's arrivals go each second: this is whose turn it is. Those that came after the pause did not wait.
    private long FirstOfThoseThatStillWait(long now)
    {
        long turn = _from + (now - _until) / 2;
        return turn < _until ? turn : now;
    }
}
