namespace HttpResilience;

/// <summary>
/// The calls that wait for a circuit, in the order of their arrival. The first one probes it, or one behind it that need not fail with the
/// probe; when it has closed, they are released at the rate of <see cref="CircuitReleaseRules"/>, and calls that arrive meanwhile queue
/// behind them.
/// </summary>
/// <remarks>
/// A call gets its ticket with its turn, under the lock of the queue, and keeps it when the circuit changes before it is sent: it is never
/// asked twice. Turns are completed outside the lock. The queue advances when the circuit changes, when a probe ends, and by one timer for
/// its next event. An event costs no search through those that wait; only a change of the circuit concerns all of them.
/// </remarks>
/// <param name="places">The calls that wait for any circuit of the host; those of its tenants count together.</param>
internal sealed class CircuitQueue(CircuitMachine circuit, CircuitPlaces places, TimeProvider time)
{
    // How many of the first ones are looked at for one that has another attempt.
    private const int Candidates = 16;

    private readonly Lock _gate = new();
    private readonly LinkedList<CircuitWaiter> _waiting = [];
    // By the end of their wait. Those that wait no longer are removed when their end comes, or when they are more than the others.
    private readonly PriorityQueue<CircuitWaiter, long> _ends = new();
    // With another clock than the system's the thread that advances it continues the calls, as it does after Task.Delay: a simulation has
    // one thread.
    private readonly TaskCreationOptions _continuations =
        time == TimeProvider.System ? TaskCreationOptions.RunContinuationsAsynchronously : TaskCreationOptions.None;
    private readonly long _catchUp = time.ToTicks(CircuitReleaseRules.CatchUp);
    private ITimer? _timer;
    private long _timerDue = long.MaxValue;
    private long _alarms;
    // The ticket of the circuit's period that the queue knows.
    private int _period;
    private long _pace;
    private long _drainingSince;
    private long _nextRelease;
    private volatile int _count;

    internal bool IsEmpty => _count == 0;

    internal int Count => _count;

    private bool IsClosed => CircuitMachine.StateOf(_period) is CircuitState.Closed;

    /// <summary>Asks for a turn. A call that need not wait gets its ticket at once.</summary>
    /// <param name="latest">The timestamp at which the call must be sent.</param>
    /// <param name="toClose">How long it may wait for the circuit to close, in timestamp ticks.</param>
    /// <param name="forTurn">How long it may wait for its turn afterwards, in timestamp ticks.</param>
    /// <param name="isLast">It is sent the last time: as a probe that fails it would fail.</param>
    internal CircuitTurn Join(CircuitPolicy policy, long latest, long toClose, long forTurn, bool isLast)
    {
        CircuitTurn turn;
        var turns = default(Turns);
        Alarm alarm;
        lock (_gate)
        {
            long now = time.GetTimestamp();
            Advance(now, ref turns);
            turn = Join(policy, latest, toClose, forTurn, isLast, now);
            alarm = NextAlarm();
        }

        turns.Complete();
        Set(alarm);
        return turn;
    }

    /// <summary>
    /// Removes a call that has been cancelled; its turn, if it has come, goes to the next one. So does its place: the policy of that one
    /// may allow more probes.
    /// </summary>
    internal void Leave(CircuitWaiter waiter)
    {
        var turns = default(Turns);
        Alarm alarm;
        lock (_gate)
        {
            long now = time.GetTimestamp();
            if (waiter.Place is not null)
                Remove(waiter, now);
            Advance(now, ref turns);
            alarm = NextAlarm();
        }

        turns.Complete();
        Set(alarm);
        if (waiter.Ticket != CircuitMachine.NoTicket)
            GiveBack(waiter.Policy, waiter.Ticket);
    }

    /// <summary>Gives back the turn of a call that was not sent.</summary>
    internal void GiveBack(CircuitPolicy policy, int ticket)
    {
        long now = time.GetTimestamp();
        circuit.Report(policy, ticket, CircuitOutcome.Neutral, now, openAtLeast: 0, now);
        if (CircuitMachine.IsProbe(ticket))
            Advance();
    }

    /// <summary>Completes the turns that have come by now.</summary>
    internal void Advance()
    {
        var turns = default(Turns);
        Alarm alarm;
        lock (_gate)
        {
            Advance(time.GetTimestamp(), ref turns);
            alarm = NextAlarm();
        }

        turns.Complete();
        Set(alarm);
    }

    /// <summary>The time until the next event of the queue.</summary>
    internal TimeSpan UntilNext()
    {
        lock (_gate)
            return time.TimeUntil(_timerDue);
    }

    private CircuitTurn Join(CircuitPolicy policy, long latest, long toClose, long forTurn, bool isLast, long now)
    {
        if (IsClosed)
        {
            // It may wait for half of the time until its deadline.
            return _count > 0 && forTurn > 0 && latest - now > 1 && places.TryTake(policy.MaxWaiting)
                ? Add(new(policy, now, latest, toClose, forTurn, isLast, _continuations)) : new(null, _period, null);
        }

        // Alone, it is the probe when the break is over.
        if (_count == 0 && circuit.Enter(policy, now) is { IsAllowed: true } admission)
            return new(null, admission.Ticket, admission.Transition);
        var state = CircuitMachine.StateOf(_period);
        return CircuitReleaseRules.MayWait(policy, state, circuit.OpenUntil, circuit.Break, toClose, latest, now)
            && places.TryTake(policy.MaxWaiting)
                ? Add(new(policy, now, latest, toClose, forTurn, isLast, _continuations)) : new(null, CircuitMachine.NoTicket, null);
    }

    private CircuitTurn Add(CircuitWaiter waiter)
    {
        waiter.Place = _waiting.AddLast(waiter);
        _ends.Enqueue(waiter, waiter.EndsAt(IsClosed));
        _count++;
        return new(waiter, CircuitMachine.NoTicket, null);
    }

    private void Advance(long now, ref Turns turns)
    {
        while (true)
        {
            if (circuit.Period is var period && period != _period)
                Begin(period, now, ref turns);
            if (_waiting.First is not { Value: var first })
                return;

            if (IsClosed)
            {
                Release(now, ref turns);
                return;
            }

            // A probe whose time is over would fail, and say nothing about the host.
            if (first.Latest <= now)
            {
                Take(first, CircuitMachine.NoTicket, null, now, ref turns);
                continue;
            }

            var probe = ProbeOf(first, now);
            var admission = circuit.Enter(probe.Policy, now);
            // When the circuit has closed in between, the call is released in its turn.
            if (admission.IsAllowed && CircuitMachine.IsProbe(admission.Ticket))
                Take(probe, admission.Ticket, admission.Transition, now, ref turns);
            if (admission.IsAllowed || circuit.Period != _period)
                continue;
            while (NextEnd() is { } next && next.EndsAt(isClosed: false) <= now)
                Take(next, CircuitMachine.NoTicket, null, now, ref turns);
            // After a reload another policy may let the next one go.
            if (_waiting.First?.Value == first)
                return;
        }
    }

    private static CircuitWaiter ProbeOf(CircuitWaiter first, long now)
    {
        var place = first.Place;
        for (int i = 0; i < Candidates && place is not null; i++, place = place.Next)
        {
            if (!place.Value.IsLast && place.Value.Latest > now)
                return place.Value;
        }

        return first;
    }

    // The circuit has changed.
    private void Begin(int period, long now, ref Turns turns)
    {
        bool wasClosed = IsClosed;
        _period = period;
        if (wasClosed != IsClosed)
        {
            // The time before the change counts as a wait for the circuit to close, or for a turn.
            foreach (var waiter in _waiting)
                waiter.Charge(wasClosed, now);
            RebuildEnds();
        }

        var state = CircuitMachine.StateOf(period);
        if (state is CircuitState.Closed && _waiting.First is { Value: var oldest })
        {
            _pace = circuit.Pace > 0 ? circuit.Pace : CircuitReleaseRules.PaceOf(oldest.ArrivedAt, _count, now);
            (_drainingSince, _nextRelease) = (now, now);
        }

        if (state is not (CircuitState.Open or CircuitState.Isolated))
            return;
        var (openUntil, length) = (circuit.OpenUntil, circuit.Break);
        for (var place = _waiting.First; place is not null;)
        {
            var (waiter, next) = (place.Value, place.Next);
            long left = waiter.EndsAt(isClosed: false) - now;
            if (!CircuitReleaseRules.MayWait(waiter.Policy, state, openUntil, length, left, waiter.Latest, now))
                Take(waiter, CircuitMachine.NoTicket, null, now, ref turns);
            place = next;
        }
    }

    private void Release(long now, ref Turns turns)
    {
        // A call that may wait no longer is sent, not rejected.
        while (NextEnd() is { } next && next.EndsAt(isClosed: true) <= now)
            Take(next, _period, null, now, ref turns);
        _nextRelease = Math.Max(_nextRelease, now - _catchUp);
        for (; _nextRelease <= now && _waiting.First is { Value: var first }; _nextRelease += Interval(now))
            Take(first, _period, null, now, ref turns);
    }

    private void Take(CircuitWaiter waiter, int ticket, CircuitTransition? transition, long now, ref Turns turns)
    {
        Remove(waiter, now);
        (waiter.Ticket, waiter.Transition) = (ticket, transition);
        turns.Add(waiter);
    }

    private void Remove(CircuitWaiter waiter, long now)
    {
        _waiting.Remove(waiter.Place!);
        waiter.Place = null;
        waiter.Charge(IsClosed, now);
        places.Free();
        _count--;
        if (_ends.Count > 2 * _count + 16)
            RebuildEnds();
    }

    private void RebuildEnds()
    {
        _ends.Clear();
        _ends.EnqueueRange(_waiting.Select(w => (w, w.EndsAt(IsClosed))));
    }

    // The one whose wait ends first.
    private CircuitWaiter? NextEnd()
    {
        while (_ends.TryPeek(out var waiter, out _))
        {
            if (waiter.Place is not null)
                return waiter;
            _ends.Dequeue();
        }

        return null;
    }

    private long Interval(long now) => CircuitReleaseRules.Interval(_pace, time.GetElapsedTime(_drainingSince, now).TotalSeconds);

    private Alarm NextAlarm()
    {
        long due = NextEnd() is not { } next ? long.MaxValue : Math.Min(next.EndsAt(IsClosed), CircuitMachine.StateOf(_period) switch
        {
            CircuitState.Closed => _nextRelease,
            CircuitState.HalfOpen => circuit.ProbeDueAt(_waiting.First!.Value.Policy),
            _ => circuit.OpenUntil,
        });
        if (due == _timerDue)
            return default;
        _timerDue = due;
        return new(due, ++_alarms);
    }

    // Outside the lock and with its due time, because a clock that skips waits fires the timer at once.
    private void Set(Alarm alarm)
    {
        if (alarm.Number == 0)
            return;
        ITimer? timer = null;
        if (alarm.Due != long.MaxValue)
        {
            var left = TimeSpan.FromMilliseconds(Math.Max(0, Math.Ceiling(time.TimeUntil(alarm.Due).TotalMilliseconds)));
            using (AmbientContext.Suppress())
                timer = time.CreateTimer(static queue => ((CircuitQueue)queue!).OnTimer(), this, left, Timeout.InfiniteTimeSpan);
        }

        lock (_gate)
        {
            if (alarm.Number == _alarms)
                (_timer, timer) = (timer, _timer);
        }

        timer?.Dispose();
    }

    private void OnTimer()
    {
        // Not as if there were none: the one that has fired is disposed.
        lock (_gate)
            _timerDue = -1;
        Advance();
    }

    /// <param name="Number">0 when the timer stays as it is.</param>
    private readonly record struct Alarm(long Due, long Number);
}
