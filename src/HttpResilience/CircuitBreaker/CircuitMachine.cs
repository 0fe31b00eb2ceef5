namespace HttpResilience;

/// <summary>
/// One circuit. It has no clock and does no I/O: timestamps are arguments, state changes are results. While it is closed, an attempt that
/// succeeds takes no lock.
/// </summary>
/// <remarks>
/// A period is the time between two changes of state. Its number, with the state in the two lowest bits, is the ticket of the attempts that
/// it lets through; a result with another period's ticket is late and changes nothing.
/// </remarks>
internal sealed class CircuitMachine
{
    /// <summary>The ticket of an attempt that was rejected; no period has this number.</summary>
    internal const int NoTicket = 0;

    private const int StateMask = 3;

    private FailureWindow _window;
    private SlowCallWindow? _slow;
    private CircuitOutage? _outage;
    private long _rowBeganAt;
    private long _latestSuccess = long.MinValue;
    private long _countedSince;
    private int _period = StateMask + 1;
    private int _consecutiveFailures;

    /// <summary>The state that a ticket was given in.</summary>
    internal static CircuitState StateOf(int ticket) => (CircuitState)(ticket & StateMask);

    internal static bool IsProbe(int ticket) => StateOf(ticket) is CircuitState.HalfOpen;

    internal CircuitState State => StateOf(Period);

    /// <summary>The ticket of the attempts that are let through now, were any.</summary>
    internal int Period => Volatile.Read(ref _period);

    /// <summary>The timestamp until which attempts are rejected; meaningful while the circuit is open.</summary>
    internal long OpenUntil => Outage?.OpenUntil ?? 0;

    /// <summary>The length of the last break, in timestamp ticks.</summary>
    internal long Break => Outage?.Break ?? 0;

    /// <summary>The time without a closed circuit, the present one or the last; null before the first.</summary>
    internal CircuitOutage? Outage => Volatile.Read(ref _outage);

    /// <summary>The time between attempts before the circuit left the closed state, in timestamp ticks; 0 when unknown.</summary>
    internal long Pace => Outage?.Pace ?? 0;

    /// <summary>The timestamp at which a half-open circuit lets one more probe go although none has ended.</summary>
    internal long ProbeDueAt(CircuitPolicy policy)
    {
        lock (this)
            return policy.ProbePatience == long.MaxValue ? long.MaxValue : _outage!.ProbedAt + Math.Max(policy.ProbePatience, Break);
    }

    /// <summary>Whether attempts will be rejected at a later time, as far as is known now.</summary>
    internal bool IsOpenAt(long timestamp) => State is CircuitState.Isolated || (State is CircuitState.Open && OpenUntil > timestamp);

    /// <summary>Requests admission for an attempt.</summary>
    internal CircuitAdmission Enter(CircuitPolicy policy, long now)
    {
        int period = Period;
        if (StateOf(period) is CircuitState.Closed)
            return new(true, period, 0, null);

        lock (this)
        {
            CircuitTransition? transition = null;
            if (State is CircuitState.Open && now >= OpenUntil)
            {
                (_outage!.ProbesInFlight, _outage.ProbesSucceeded) = (0, 0);
                transition = MoveTo(CircuitState.HalfOpen);
            }

            switch (State)
            {
                case CircuitState.Closed:
                    return new(true, _period, 0, transition);
                case CircuitState.HalfOpen when _outage!.ProbesInFlight < policy.HalfOpenProbes || now >= ProbeDueAt(policy):
                    _outage.ProbesInFlight++;
                    _outage.ProbedAt = now;
                    return new(true, _period, 0, transition);
                default:
                    return new(false, _period, State is CircuitState.Isolated ? 0 : OpenUntil, transition);
            }
        }
    }

    /// <summary>Reports the result of an admitted attempt.</summary>
    /// <param name="ticket">The ticket from <see cref="Enter"/>.</param>
    /// <param name="openAtLeast">The server's Retry-After, in timestamp ticks; 0 when it sent none.</param>
    /// <param name="startedAt">When the attempt began.</param>
    internal CircuitTransition? Report(
        CircuitPolicy policy, int ticket, CircuitOutcome outcome, long startedAt, long openAtLeast, long now)
    {
        if (ticket != Volatile.Read(ref _period))
            return null;

        bool isSlow = now - startedAt >= policy.SlowCallDuration && outcome is not CircuitOutcome.Neutral;
        if (IsProbe(ticket))
            return ReportProbe(policy, ticket, isSlow ? CircuitOutcome.Failure : outcome, openAtLeast, now);
        if (outcome is CircuitOutcome.Neutral || (outcome is CircuitOutcome.Failure && IsStale(policy, startedAt)))
            return null;

        if (policy.FailureRatio is not null || policy.MaxWait is not null)
            Count(policy, outcome is CircuitOutcome.Failure, now);
        bool tooSlow = policy.SlowCallDuration != long.MaxValue && SlowRatioIsReached(policy, isSlow, now);
        if (outcome is CircuitOutcome.Failure)
            return tooSlow | FailuresAreReached(policy, now) ? OpenClosed(policy, ticket, openAtLeast, now) : null;
        if (policy.FailureDuration is not null)
            Succeeded(policy, startedAt);
        if (Volatile.Read(ref _consecutiveFailures) != 0)
            Volatile.Write(ref _consecutiveFailures, 0);
        return tooSlow ? OpenClosed(policy, ticket, openAtLeast, now) : null;
    }

    /// <summary>Rejects all attempts until the circuit is closed by an operator.</summary>
    internal CircuitTransition? Isolate(long now)
    {
        lock (this)
        {
            if (State is CircuitState.Closed)
                _outage = new(now, Pace);
            // No probe can end it, and the operator knows.
            _outage!.End();
            return State is CircuitState.Isolated ? null : MoveTo(CircuitState.Isolated);
        }
    }

    /// <summary>Admits all attempts again, and resets the counts.</summary>
    internal CircuitTransition? Close(long now)
    {
        lock (this)
            return State is CircuitState.Closed ? null : MoveToClosed(now);
    }

    private CircuitTransition? OpenClosed(CircuitPolicy policy, int ticket, long openAtLeast, long now)
    {
        lock (this)
        {
            if (ticket != _period)
                return null;
            // Soon after a close the window has too few attempts, most of them of calls that had waited.
            bool isSoon = _outage is { Pace: > 0 } last && now - last.EndedAt < policy.BucketLength * FailureWindow.Buckets;
            _outage = new(now, isSoon ? Pace : PaceAt(policy, now) ?? 0);
            return Open(policy, openAtLeast, now);
        }
    }

    private void Count(CircuitPolicy policy, bool failed, long now)
    {
        // The time before the first attempt must not make the pace look slow.
        if (_window.Add(failed, now, policy.BucketLength) && _window.Sum(now, policy.BucketLength).Attempts == 1)
            Volatile.Write(ref _countedSince, now);
    }

    // The host has answered an attempt that began later: the failure says nothing about the present.
    private bool IsStale(CircuitPolicy policy, long startedAt) =>
        policy.FailureDuration is not null && startedAt < Volatile.Read(ref _latestSuccess);

    // Written at most once per step, so that threads do not contend for it on every success.
    private void Succeeded(CircuitPolicy policy, long startedAt)
    {
        long latest = Volatile.Read(ref _latestSuccess);
        if (latest == long.MinValue || startedAt - latest >= policy.SuccessStep)
            Volatile.Write(ref _latestSuccess, startedAt);
    }

    private CircuitTransition? ReportProbe(CircuitPolicy policy, int ticket, CircuitOutcome outcome, long openAtLeast, long now)
    {
        lock (this)
        {
            if (ticket != _period)
                return null;

            _outage!.ProbesInFlight--;
            if (outcome is CircuitOutcome.Failure)
            {
                // The breaks that calls wait for do not grow.
                if (policy.MaxWait is not { } wait || now - _outage.StartedAt >= wait)
                    _outage.Breaks++;
                return Open(policy, openAtLeast, now);
            }

            if (outcome is CircuitOutcome.Neutral || ++_outage.ProbesSucceeded < policy.SuccessThreshold)
                return null;

            return MoveToClosed(now);
        }
    }

    private CircuitTransition MoveToClosed(long now)
    {
        _consecutiveFailures = 0;
        _window.Clear();
        _slow = null;
        _outage!.End();
        (_outage.EndedAt, _outage.Breaks) = (now, 0);
        return MoveTo(CircuitState.Closed);
    }

    private bool SlowRatioIsReached(CircuitPolicy policy, bool isSlow, long now)
    {
        var slow = LazyInitializer.EnsureInitialized(ref _slow, static () => new());
        slow.Window.Add(isSlow, now, policy.BucketLength);
        if (!isSlow)
            return false;
        var (attempts, slowOnes) = slow.Window.Sum(now, policy.BucketLength);
        return attempts >= policy.MinimumThroughput && slowOnes >= policy.SlowCallRatio * attempts;
    }

    private bool FailuresAreReached(CircuitPolicy policy, long now)
    {
        if (Volatile.Read(ref _consecutiveFailures) == 0)
            Volatile.Write(ref _rowBeganAt, now);
        if (Interlocked.Increment(ref _consecutiveFailures) >= policy.FailureThreshold
            && (policy.FailureDuration is not { } duration || now - Volatile.Read(ref _rowBeganAt) >= duration))
            return true;
        if (policy.FailureRatio is not { } ratio)
            return false;
        var (attempts, failures) = _window.Sum(now, policy.BucketLength);
        return attempts >= policy.MinimumThroughput && failures >= ratio * attempts;
    }

    private CircuitTransition Open(CircuitPolicy policy, long openAtLeast, long now)
    {
        // Doubled in floating point: sixty breaks in a row must not overflow.
        double length = Math.Min(policy.BreakDuration * Math.Pow(2, _outage!.Breaks), policy.MaxBreakDuration);
        long open = Math.Max((long)length, openAtLeast);
        _outage.Open(policy, open, now);
        return MoveTo(CircuitState.Open, open);
    }

    private CircuitTransition MoveTo(CircuitState state, long openFor = 0)
    {
        int period = (_period & ~StateMask) + StateMask + 1;
        Volatile.Write(ref _period, (period == NoTicket ? StateMask + 1 : period) | (int)state);
        return new(state, openFor);
    }

    /// <summary>The time between recent calls, in timestamp ticks; null when there were too few.</summary>
    internal long? PaceAt(CircuitPolicy policy, long now) =>
        _window.Pace(now, policy.BucketLength, leastAttempts: 10, Volatile.Read(ref _countedSince));

    /// <summary>Made when slow calls are counted: most circuits do without.</summary>
    private sealed class SlowCallWindow
    {
        internal FailureWindow Window;
    }
}

/// <summary>Whether an attempt is admitted.</summary>
/// <param name="IsAllowed">It is.</param>
/// <param name="Ticket">To be given back with the result.</param>
/// <param name="OpenUntil">
/// For a rejection: the timestamp until which the circuit is open; in the past while a probe is in flight, and when it is isolated.
/// </param>
/// <param name="Transition">The state change caused by the request for admission, if any.</param>
internal readonly record struct CircuitAdmission(bool IsAllowed, int Ticket, long OpenUntil, CircuitTransition? Transition);

/// <summary>A change of state.</summary>
/// <param name="OpenFor">How long attempts are rejected, in timestamp ticks; 0 unless <paramref name="To"/> is open.</param>
internal sealed record CircuitTransition(CircuitState To, long OpenFor);
