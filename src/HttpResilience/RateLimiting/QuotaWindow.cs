namespace HttpResilience;

/// <summary>
/// One quota, as it was last reported and as the calls since have used it. Timestamps are arguments and results;
/// <see cref="QuotaPaceRules"/> decides. Its owner has the lock.
/// </summary>
/// <remarks>
/// What is left is estimated from below: a response does not count the calls that were under way with it, whichever of them the API has
/// seen first. An estimate above the reported rest shows that others use the quota, and is then replaced.
/// </remarks>
internal sealed class QuotaWindow
{
    private const int Buckets = 128;

    // Units that come back a window after they were used, with the time at which the last of them does.
    private readonly Queue<(long At, double Units)> _returns = [];
    private QuotaKind _kind;
    private bool _costVaries;
    private bool _isKnown;
    private double _limit = 1;
    private double _left;
    private double _cost = 1;
    private double _deviation;
    private bool _hasCost;
    private (double Remaining, long At) _reported;
    private long _asOf;
    private long _firstAt;
    private long _resetAt;
    private long _length;
    private long _lengthKnown;
    private long _last = QuotaStanding.NoStart;
    private long _lastStarted = QuotaStanding.NoStart;
    private long _reserved;
    private long _tailAt;
    private long _tailFrom;
    private double _tail;
    private double _returning;

    /// <summary>The calls that were started, and those of them that have ended.</summary>
    internal long Started { get; private set; }

    /// <inheritdoc cref="Started"/>
    internal long Ended { get; private set; }

    internal bool IsIdle => _reserved == 0 && Started == Ended;

    /// <summary>The units that have come back so far.</summary>
    internal double Returned { get; private set; }

    /// <summary>When it was last reported or used.</summary>
    internal long LastUsed { get; private set; }

    /// <summary>A response reports the quota.</summary>
    /// <param name="reset">The time until the reset, in ticks of the clock; null when it is not reported.</param>
    /// <param name="window">The length of the window, in ticks of the clock; 0 when unknown.</param>
    /// <param name="uncounted">The calls that the report may not count: those that were under way with its call.</param>
    /// <param name="returnedBefore">What had come back (<see cref="Returned"/>) when the call was sent; null when unknown.</param>
    internal void Report(in QuotaReport report, long? reset, long window, long uncounted, double? returnedBefore, long now)
    {
        Advance(now);
        LastUsed = now;
        double remaining = (double)report.Remaining;
        if (!TryTakeWindow(report, reset, window, remaining, now, out bool isNew))
            return;
        Learn(remaining, isNew, now);
        _limit = Math.Max(1, Math.Max(remaining, (double?)report.Limit ?? (_isKnown ? _limit : remaining + 1)));
        double counted = remaining - Math.Max(0, uncounted) * _cost;
        // The report does not have what has come back since, nor parts of a unit.
        double slack = _kind is QuotaKind.Window ? 0 : 1 + Returned - (returnedBefore ?? Returned);
        if (isNew || _left > remaining + slack)
            _left = counted;
        else if (counted > _left)
            Raise(counted - _left);
        ReturnMissing(uncounted, now);
        if (!_isKnown)
            _last = _lastStarted = now;
        _isKnown = true;
    }

    /// <summary>The earliest start of the next call.</summary>
    /// <param name="isFirst">Its start has come already, and too little was left: it is before all that have a start.</param>
    internal long Earliest(bool isFirst, long now)
    {
        Advance(now);
        if (!_isKnown)
            return now;
        return QuotaPaceRules.Earliest(isFirst ? Standing(now, 0) with { Last = QuotaStanding.NoStart } : Standing(now, _reserved), now);
    }

    /// <summary>A call has a start.</summary>
    internal void Reserve(long start)
    {
        _reserved++;
        _last = Math.Max(_last, start);
    }

    /// <summary>A call that has a start does not use it.</summary>
    internal void Release()
    {
        if (--_reserved == 0)
            _last = _lastStarted;
    }

    /// <summary>Whether a call whose start has come may be sent.</summary>
    internal bool MayStart(long now)
    {
        Advance(now);
        return !_isKnown || (_kind is QuotaKind.Window && _resetAt <= now) || (_kind is not QuotaKind.Window && _length <= 0)
            || _left >= Need;
    }

    /// <summary>A call is sent.</summary>
    internal void Start(long now)
    {
        Started++;
        _left -= _cost;
        LastUsed = _lastStarted = now;
        _last = Math.Max(_last, now);
    }

    /// <summary>A call that was started has ended.</summary>
    /// <param name="wasSent">False: it was not sent after all.</param>
    internal void End(bool wasSent, long now)
    {
        Ended++;
        if (!wasSent)
            _left += _cost;
        else if (_kind is QuotaKind.Rolling && _length > 0)
            WillReturn(_cost, now);
    }

    private double Need => Math.Min(_cost + (_costVaries ? 2 * _deviation : 0), Math.Max(1, _limit / 2));

    private QuotaStanding Standing(long now, long reserved) => new()
    {
        Kind = _kind,
        Limit = _limit,
        Left = _left - reserved * _cost,
        Cost = _cost,
        Need = Need,
        ResetAt = _resetAt,
        Length = _length,
        Last = _last,
        NextReturn = NextReturn(now, reserved),
    };

    // A report of a window that has ended says nothing.
    private bool TryTakeWindow(in QuotaReport report, long? reset, long window, double remaining, long now, out bool isNew)
    {
        isNew = !_isKnown || _kind != report.Kind;
        (_kind, _costVaries) = (report.Kind, report.CostVaries);
        if (window > 0)
            _lengthKnown = window;
        if (_kind is not QuotaKind.Window)
        {
            _length = FillTime(report, reset, remaining);
            return true;
        }

        if (reset is not > 0)
            return reset is null && _resetAt > now;
        long resetAt = now + reset.Value;
        long half = Math.Max(_lengthKnown, _resetAt - _firstAt) / 2;
        if (_resetAt > now && resetAt < _resetAt - half)
            return false;
        isNew |= _resetAt <= now || resetAt > _resetAt + half;
        if (isNew)
        {
            // Without a documented length: from reset to reset, or what is left of the first window.
            _length = _lengthKnown > 0 ? _lengthKnown : resetAt - (_isKnown && _resetAt > 0 && _resetAt < resetAt ? _resetAt : now);
            (_firstAt, _resetAt) = (now, resetAt);
        }
        else
        {
            // A reset that is read against a Date in seconds is late by up to one; the earliest is the nearest.
            _resetAt = Math.Min(_resetAt, resetAt);
        }

        return true;
    }

    // A reset after the documented time shows a longer one, such as a limit per day.
    private long FillTime(in QuotaReport report, long? reset, double remaining)
    {
        if (_kind is QuotaKind.Rolling || reset is not > 0 || (double?)report.Limit is not { } limit || limit <= remaining)
            return _lengthKnown > 0 ? _lengthKnown : _length;
        return reset.Value <= _lengthKnown ? _lengthKnown : (long)Math.Min(long.MaxValue / 4, reset.Value * limit / (limit - remaining));
    }

    private void Learn(double remaining, bool isNew, long now)
    {
        var (before, at) = _reported;
        _reported = (remaining, now);
        if (!_costVaries || isNew)
            return;
        double back = _kind is QuotaKind.Refill && _length > 0 ? (now - at) * _limit / _length : 0;
        double used = Math.Min(before + back, _limit) - remaining;
        if (!_hasCost)
            (_hasCost, _cost, _deviation) = (true, Math.Max(1, used), Math.Abs(used) / 2);
        _deviation += (Math.Abs(used - _cost) - _deviation) / 8;
        _cost = Math.Max(1, _cost + (used - _cost) / 8);
    }

    private void Advance(long now)
    {
        if (now <= _asOf)
            return;
        switch (_kind)
        {
            case QuotaKind.Refill when _length > 0:
                Add((now - _asOf) * _limit / _length);
                break;
            case QuotaKind.Rolling:
                Return(now);
                break;
            case QuotaKind.Window when _isKnown && _resetAt <= now && _length > 0:
                (_firstAt, _resetAt) = (now, _resetAt + ((now - _resetAt) / _length + 1) * _length);
                // Those under way may count in the new window.
                _left = _limit - (Started - Ended) * _cost;
                break;
        }

        _asOf = now;
    }

    private void Return(long now)
    {
        double units = 0;
        while (_returns.TryPeek(out var first) && first.At <= now)
            units += _returns.Dequeue().Units;
        if (_tail > 0 && _tailAt <= now)
            (units, _tail) = (units + _tail, 0);
        _returning -= units;
        Add(units);
    }

    private void Add(double units)
    {
        Returned += units;
        _left = Math.Min(_limit, _left + units);
    }

    // The API has got units back before they are taken to come back here.
    private void Raise(double units)
    {
        _left += units;
        int count = _returns.Count;
        for (int i = 0; i < count; i++)
        {
            var (at, some) = _returns.Dequeue();
            double taken = Math.Min(units, some);
            units -= taken;
            _returning -= taken;
            if (some > taken)
                _returns.Enqueue((at, some - taken));
        }

        double last = Math.Min(units, _tail);
        _tail -= last;
        _returning -= last;
    }

    // Calls that were sent before the quota was known, or by others, used units too. Those that come back are otherwise taken
    // for the units of later calls, which then seem to be used for a window longer.
    private void ReturnMissing(long uncounted, long now)
    {
        if (_kind is not QuotaKind.Rolling || _length <= 0)
            return;
        double missing = _limit - _left - _returning - Math.Max(uncounted, Started - Ended) * _cost;
        if (missing >= 1)
            WillReturn(missing, now);
    }

    private void WillReturn(double units, long now)
    {
        Return(now);
        long at = now + _length;
        if (_tail > 0 && at - _tailFrom > _length / Buckets)
        {
            _returns.Enqueue((_tailAt, _tail));
            _tail = 0;
        }

        if (_tail == 0)
            _tailFrom = at;
        (_tailAt, _tail) = (at, _tail + units);
        _returning += units;
    }

    private long NextReturn(long now, long reserved)
    {
        if (_kind is not QuotaKind.Rolling)
            return 0;
        double left = _left - reserved * _cost;
        foreach (var (at, units) in _returns)
        {
            left += units;
            if (left >= Need)
                return at;
        }

        if (_tail > 0 && left + _tail >= Need)
            return _tailFrom + _length / Buckets;
        return QuotaPaceRules.Later(now, Math.Max(0, Need - left) * _length / _limit);
    }
}
