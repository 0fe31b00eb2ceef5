namespace HttpResilience.Benchmarks;

/// <summary>A limit that a scripted API keeps.</summary>
/// <param name="name">The name in its fields.</param>
/// <param name="limit">The units of a window, or of a full bucket.</param>
/// <param name="length">How long a window is, or an empty bucket takes to fill.</param>
internal abstract class QuotaLimit(string name, double limit, TimeSpan length)
{
    internal string Name => name;

    internal double Limit => limit;

    internal TimeSpan Length => length;

    /// <summary>The units that a call takes; 1 when null.</summary>
    internal Func<Random, double>? Cost { get; init; }

    /// <summary>The client was told that nothing is left, and until when.</summary>
    internal TimeSpan ClosedUntil { get; set; }

    /// <summary>When the response that said so, or denied it, was made.</summary>
    internal TimeSpan ToldAt { get; set; }

    internal double Used { get; private set; }

    /// <summary>The units that are left.</summary>
    internal abstract double Left(TimeSpan now);

    /// <summary>When a unit is there again, after the last one was used.</summary>
    internal abstract TimeSpan OpensAt(TimeSpan now);

    /// <summary>When the window ends, or the bucket is full.</summary>
    internal abstract TimeSpan ResetAt(TimeSpan now);

    /// <summary>What the limit allows in a time.</summary>
    internal virtual double Allowed(TimeSpan time) => limit * Math.Max(1, time / length);

    internal virtual void Take(double units, TimeSpan now) => Used += units;
}

/// <summary>Windows from the beginning on, each with all units.</summary>
internal sealed class WindowLimit(string name, double limit, TimeSpan length) : QuotaLimit(name, limit, length)
{
    private long _window;
    private double _used;

    internal override double Left(TimeSpan now)
    {
        Enter(now);
        return Limit - _used;
    }

    internal override TimeSpan OpensAt(TimeSpan now) => ResetAt(now);

    internal override TimeSpan ResetAt(TimeSpan now) => (now.Ticks / Length.Ticks + 1) * Length;

    internal override double Allowed(TimeSpan time) => Limit * Math.Ceiling(time / Length);

    internal override void Take(double units, TimeSpan now)
    {
        Enter(now);
        _used += units;
        base.Take(units, now);
    }

    private void Enter(TimeSpan now)
    {
        if (now.Ticks / Length.Ticks is var window && window != _window)
            (_window, _used) = (window, 0);
    }
}

/// <summary>A bucket that fills evenly.</summary>
internal sealed class BucketLimit(string name, double limit, TimeSpan length) : QuotaLimit(name, limit, length)
{
    private double _left = limit;
    private TimeSpan _at;

    internal override double Left(TimeSpan now)
    {
        (_left, _at) = (Math.Min(Limit, _left + Limit * ((now - _at) / Length)), now);
        return _left;
    }

    internal override TimeSpan OpensAt(TimeSpan now) => now + Length * (Math.Max(0, 1 - Left(now)) / Limit);

    internal override TimeSpan ResetAt(TimeSpan now) => now + Length * ((Limit - Left(now)) / Limit);

    internal override double Allowed(TimeSpan time) => Limit * (1 + time / Length);

    internal override void Take(double units, TimeSpan now)
    {
        _left = Left(now) - units;
        base.Take(units, now);
    }
}

/// <summary>Each unit comes back a window after it was used.</summary>
internal sealed class RollingLimit(string name, double limit, TimeSpan length) : QuotaLimit(name, limit, length)
{
    private readonly Queue<TimeSpan> _used = [];

    internal override double Left(TimeSpan now)
    {
        while (_used.TryPeek(out var first) && first + Length <= now)
            _used.Dequeue();
        return Limit - _used.Count;
    }

    internal override TimeSpan OpensAt(TimeSpan now) => Left(now) >= 1 ? now : _used.Peek() + Length;

    internal override TimeSpan ResetAt(TimeSpan now) => now + Length;

    internal override void Take(double units, TimeSpan now)
    {
        _used.Enqueue(now);
        base.Take(units, now);
    }
}
