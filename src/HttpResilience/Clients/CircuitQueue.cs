namespace HttpResilience;

/// <summary>
/// The calls that wait for a circuit, in the order of their arrival. The first one probes it; when it has closed, they are released at the
/// rate of <see cref="CircuitReleaseRules"/>, and calls that arrive meanwhile queue behind them.
/// </summary>
/// <remarks>
/// A call is admitted to the circuit under the lock of the queue and gets its ticket with its turn, so that nothing comes between the two.
/// A turn is completed outside the lock. Transitions of the circuit advance the queue, and one timer for its next event.
/// </remarks>
/// <param name="places">The calls that wait for any circuit of the host; those of its tenants count together.</param>
/// <param name="moved">Gets the changes of state that the queue causes.</param>
internal sealed class CircuitQueue(CircuitMachine circuit, CircuitPlaces places, TimeProvider time, Action<CircuitTransition> moved)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<CircuitWaiter> _waiting = [];

    // With another clock than the system's the thread that advances it continues the calls, as it does after Task.Delay: a simulation has
    // one thread.
    private readonly TaskCreationOptions _continuations =
        time == TimeProvider.System ? TaskCreationOptions.RunContinuationsAsynchronously : TaskCreationOptions.None;

    private ITimer? _timer;
    private bool _isClosed;
    private long _pace;
    private long _drainingSince;
    private long _nextRelease;
    private volatile int _count;

    internal bool IsEmpty => _count == 0;

    /// <summary>Adds a call, which may get its turn at once.</summary>
    /// <returns>Null when it does not wait: the circuit decides about it.</returns>
    internal CircuitWaiter? Join(CircuitPolicy policy, long latest, long toClose, long forTurn)
    {
        var waiter = default(CircuitWaiter);
        Advance(now =>
        {
            if (MayJoin(policy, latest, toClose, forTurn, now) && places.TryTake(policy.MaxWaiting))
            {
                waiter = new(policy, now, latest, toClose, forTurn, _continuations);
                _waiting.AddLast(waiter);
                _count++;
            }
        });
        return waiter;
    }

    /// <summary>Removes a call that has been cancelled; its turn goes to the next one.</summary>
    internal void Leave(CircuitWaiter waiter)
    {
        bool waited = false;
        Advance(_ =>
        {
            if (_waiting.Remove(waiter))
            {
                places.Free();
                _count--;
                waited = true;
            }
        });
        if (!waited && waiter.Turn.Result is not CircuitMachine.NoTicket and var ticket)
            GiveBack(waiter.Policy, ticket);
    }

    /// <summary>Gives back the turn of a call that was not sent.</summary>
    internal void GiveBack(CircuitPolicy policy, int ticket)
    {
        long now = time.GetTimestamp();
        if (circuit.Report(policy, ticket, CircuitOutcome.Neutral, now, openAtLeast: 0, now) is { } transition)
            moved(transition);
        Advance();
    }

    /// <summary>Completes the turns that have come by now.</summary>
    internal void Advance() => Advance(static _ => { });

    /// <summary>The time until the next event of the queue.</summary>
    internal TimeSpan UntilNext()
    {
        lock (_gate)
            return time.TimeUntil(NextEvent(time.GetTimestamp()));
    }

    private void Advance(Action<long> first)
    {
        List<(CircuitWaiter Waiter, int Ticket)> turns = [];
        List<CircuitTransition> transitions = [];
        lock (_gate)
        {
            long now = time.GetTimestamp();
            first(now);
            if (_waiting.Count > 0)
            {
                Advance(now, turns, transitions);
                SetTimer(now);
            }
        }

        transitions.ForEach(moved);
        foreach (var (waiter, ticket) in turns)
            waiter.Complete(ticket);
    }

    private bool MayJoin(CircuitPolicy policy, long latest, long toClose, long forTurn, long now)
    {
        var state = StateAt(now);
        if (state is CircuitState.Closed)
            return _waiting.Count > 0 && forTurn > 0 && latest > now;
        // Alone, it is the probe.
        return !(state is CircuitState.HalfOpen && _waiting.Count == 0 && circuit.State is CircuitState.Open)
            && CircuitReleaseRules.MayWait(policy, state, circuit.OpenUntil, circuit.Break, toClose, latest, now);
    }

    private CircuitState StateAt(long now) =>
        circuit.State is CircuitState.Open && now >= circuit.OpenUntil ? CircuitState.HalfOpen : circuit.State;

    private void Advance(long now, List<(CircuitWaiter Waiter, int Ticket)> turns, List<CircuitTransition> transitions)
    {
        var state = StateAt(now);
        Note(state is CircuitState.Closed, now);
        if (state is CircuitState.Closed)
        {
            // Of a call that waits no longer: it is sent, not rejected.
            RemoveWhere(w => w.EndsAt(isClosed: true) <= now, w => turns.Add((w, Admit(w, now, transitions))));
            for (; _waiting.First is { } next && now >= _nextRelease; _nextRelease += Interval(now))
                Take(next.Value, Admit(next.Value, now, transitions));
        }
        else
        {
            while (state is CircuitState.HalfOpen && _waiting.First is { } next
                && Admit(next.Value, now, transitions) is not CircuitMachine.NoTicket and var ticket)
                Take(next.Value, ticket);
            RemoveWhere(
                w => w.EndsAt(isClosed: false) <= now
                    || !CircuitReleaseRules.MayWait(w.Policy, state, circuit.OpenUntil, circuit.Break, w.EndsAt(false) - now, w.Latest, now),
                w => turns.Add((w, CircuitMachine.NoTicket)));
        }

        void Take(CircuitWaiter waiter, int ticket)
        {
            RemoveWhere(w => w == waiter, _ => { });
            turns.Add((waiter, ticket));
        }
    }

    private int Admit(CircuitWaiter waiter, long now, List<CircuitTransition> transitions)
    {
        var admission = circuit.Enter(waiter.Policy, now);
        if (admission.Transition is { } transition)
            transitions.Add(transition);
        return admission.IsAllowed ? admission.Ticket : CircuitMachine.NoTicket;
    }

    private void RemoveWhere(Predicate<CircuitWaiter> isOver, Action<CircuitWaiter> removed)
    {
        for (var node = _waiting.First; node is not null;)
        {
            var (waiter, next) = (node.Value, node.Next);
            if (isOver(waiter))
            {
                _waiting.Remove(node);
                places.Free();
                _count--;
                waiter.Charge(_isClosed, time.GetTimestamp());
                removed(waiter);
            }

            node = next;
        }
    }

    // The time before the change counts as a wait for the circuit to close, or for a turn.
    private void Note(bool isClosed, long now)
    {
        if (isClosed == _isClosed)
            return;
        foreach (var waiter in _waiting)
            waiter.Charge(_isClosed, now);
        _isClosed = isClosed;
        if (!isClosed)
            return;
        _pace = circuit.Pace > 0 ? circuit.Pace
            : CircuitReleaseRules.PaceOf(_waiting.Min(w => w.ArrivedAt), _waiting.Count, now);
        (_drainingSince, _nextRelease) = (now, now);
    }

    private long Interval(long now) => CircuitReleaseRules.Interval(_pace, time.GetElapsedTime(_drainingSince, now).TotalSeconds);

    private long NextEvent(long now)
    {
        if (_waiting.Count == 0)
            return long.MaxValue;
        long end = _waiting.Min(w => w.EndsAt(_isClosed));
        return Math.Min(end, StateAt(now) switch
        {
            CircuitState.Closed => _nextRelease,
            CircuitState.Open => circuit.OpenUntil,
            CircuitState.HalfOpen => circuit.ProbeDueAt(_waiting.First!.Value.Policy),
            _ => now,
        });
    }

    private void SetTimer(long now)
    {
        if (_timer is null)
        {
            using (AmbientContext.Suppress())
                _timer = time.CreateTimer(static queue => ((CircuitQueue)queue!).Advance(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        long next = NextEvent(now);
        _timer.Change(
            next == long.MaxValue ? Timeout.InfiniteTimeSpan : TimeSpan.FromMilliseconds(Math.Max(0, Math.Ceiling(time.TimeUntil(next).TotalMilliseconds))),
            Timeout.InfiniteTimeSpan);
    }
}

/// <summary>The places of the calls that wait for the circuits of a host.</summary>
internal sealed class CircuitPlaces
{
    private int _taken;

    internal bool TryTake(int most)
    {
        if (Interlocked.Increment(ref _taken) <= most)
            return true;
        Interlocked.Decrement(ref _taken);
        return false;
    }

    internal void Free() => Interlocked.Decrement(ref _taken);
}
