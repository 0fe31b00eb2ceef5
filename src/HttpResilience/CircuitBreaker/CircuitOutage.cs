namespace HttpResilience;

/// <summary>
/// The time in which a circuit is not closed. While calls can wait for its end it is a blip, which is reported when it is over; later it is
/// an outage for operators.
/// </summary>
/// <remarks>It holds what only a circuit needs that has opened: most never do.</remarks>
/// <param name="startedAt">When the circuit left the closed state.</param>
/// <param name="pace">The time between attempts before, in timestamp ticks; 0 when unknown.</param>
internal sealed class CircuitOutage(long startedAt, long pace)
{
    private long _reportFrom = long.MaxValue;
    private long _openUntil;
    private long _break;
    private int _isReported;
    private int _waited;
    private int _failed;

    internal long StartedAt => startedAt;

    internal long Pace => pace;

    /// <summary>When the circuit closed.</summary>
    internal long EndedAt { get; set; }

    /// <summary>The breaks by which the next one grows.</summary>
    internal int Breaks { get; set; }

    internal int ProbesInFlight { get; set; }

    internal int ProbesSucceeded { get; set; }

    /// <summary>The end of the last break.</summary>
    internal long OpenUntil => Volatile.Read(ref _openUntil);

    /// <summary>The length of the last break.</summary>
    internal long Break => Volatile.Read(ref _break);

    /// <summary>When the last probe was let through.</summary>
    internal long ProbedAt { get; set; }

    /// <summary>The calls that have waited for the circuit.</summary>
    internal int Waited => Volatile.Read(ref _waited);

    /// <summary>The calls that the circuit has rejected.</summary>
    internal int Failed => Volatile.Read(ref _failed);

    internal void AddWaited() => Interlocked.Increment(ref _waited);

    internal void AddFailed() => Interlocked.Increment(ref _failed);

    /// <summary>The circuit has opened, now or again.</summary>
    /// <param name="length">The length of the break.</param>
    internal void Open(CircuitPolicy policy, long length, long now)
    {
        Volatile.Write(ref _break, length);
        Volatile.Write(ref _openUntil, now + length);
        long from = policy.MaxWait is { } wait && length <= wait ? startedAt + wait : now;
        Volatile.Write(ref _reportFrom, Math.Min(_reportFrom, from));
    }

    /// <summary>The circuit has closed, or an operator has isolated it.</summary>
    internal void End() => Volatile.Write(ref _reportFrom, long.MaxValue);

    /// <summary>It lasts longer than calls wait.</summary>
    internal bool IsLongAt(long now) => now >= Volatile.Read(ref _reportFrom);

    /// <summary>Whether it is to be reported now; true once.</summary>
    internal bool TryReport(long now) => IsLongAt(now) && Interlocked.Exchange(ref _isReported, 1) == 0;
}
