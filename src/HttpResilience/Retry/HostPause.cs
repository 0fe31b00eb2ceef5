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

    internal long Until => Volatile.Read(ref _until);

    /// <summary>Takes a wish of the host. The longest one holds.</summary>
    /// <returns>Whether a pause begins with it.</returns>
    internal bool Extend(long now, long until)
    {
        lock (_gate)
        {
            if (until <= _until)
                return false;
            bool begins = _until <= now;
            if (begins)
                _from = now;
            Volatile.Write(ref _until, until);
            return begins;
        }
    }

    /// <summary>
    /// When a call may be sent. During a pause calls gather; they are let go in the order in which they came and at half the pace, so that together with
    /// the calls that come by themselves then, the host sees one and a half times its usual load and not all at once.
    /// </summary>
    /// <param name="deadline">The end of the call.</param>
    /// <param name="maxSpread">Over what time calls that came together are spread at the most, in timestamp ticks; never longer than the pause was.</param>
    /// <param name="random">In [0, 1).</param>
    /// <returns><paramref name="now"/> when there is no pause; null when it lasts beyond the deadline.</returns>
    internal long? AdmitAt(long now, long deadline, long maxSpread, double random)
    {
        if (now >= Until)
            return now;

        lock (_gate)
        {
            if (now >= _until)
                return now;
            if (_until >= deadline)
                return null;

            long apart = Math.Max(0, now - _from) * 2 + (long)(Math.Min(maxSpread, _until - _from) * random);
            // Being polite is no reason to miss the deadline: then anywhere in the first half of what is left.
            return _until + apart < deadline ? _until + apart : _until + (long)((deadline - _until) / 2 * random);
        }
    }
}
