namespace HttpResilience;

/// <summary>
/// Lets as many attempts to a host run at once as <see cref="AdaptiveLimit"/> says; further ones wait in the order of their arrival.
/// </summary>
/// <remarks>Turns are completed outside the lock. An attempt that ends passes its place on, so the gate needs no timer.</remarks>
internal sealed class ConcurrencyGate(TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly AdaptiveLimit _limit = new();
    private readonly LinkedList<ConcurrencyWaiter> _waiting = [];
    // With another clock than the system's the thread that gives the place back continues the attempt: a simulation has one thread.
    private readonly TaskCreationOptions _continuations =
        time == TimeProvider.System ? TaskCreationOptions.RunContinuationsAsynchronously : TaskCreationOptions.None;
    private long _waitingSince;
    private int _inFlight;
    private volatile int _count;
    private volatile int _current;

    internal int InFlight => Volatile.Read(ref _inFlight);

    /// <summary>The attempts that wait.</summary>
    internal int Waiting => _count;

    /// <summary>The limit when an attempt last came or ended.</summary>
    internal int Limit => _current;

    /// <summary>Asks for a place.</summary>
    /// <param name="latest">The timestamp at which the attempt is over.</param>
    internal ConcurrencyTurn Enter(ConcurrencyPolicy policy, long latest)
    {
        ConcurrencyTurn turn;
        var turns = default(Turns);
        lock (_gate)
        {
            // A reload may have raised the limit.
            Admit(policy, ref turns);
            turn = Join(policy, latest, time.GetTimestamp());
        }

        turns.Complete();
        return turn;
    }

    /// <summary>Gives a place back.</summary>
    /// <param name="number">The number that came with the place.</param>
    /// <param name="latency">How long the attempt took, in timestamp ticks.</param>
    internal void Exit(ConcurrencyPolicy policy, int number, long latency, LoadSign sign)
    {
        var turns = default(Turns);
        lock (_gate)
        {
            _limit.Count(policy, number, _inFlight, latency, sign);
            _inFlight--;
            Admit(policy, ref turns);
        }

        turns.Complete();
    }

    /// <summary>Ends a wait that was cancelled; the place, if it has come, goes to the next one.</summary>
    internal void Leave(ConcurrencyPolicy policy, ConcurrencyWaiter waiter)
    {
        var turns = default(Turns);
        lock (_gate)
        {
            if (waiter.Place is not null)
                Remove(waiter);
            else
                _inFlight--;
            Admit(policy, ref turns);
        }

        turns.Complete();
    }

    private ConcurrencyTurn Join(ConcurrencyPolicy policy, long latest, long now)
    {
        // Then none waits.
        if (_inFlight < _current)
        {
            _inFlight++;
            return new(null, _limit.Number);
        }

        long waitingFor = _count == 0 ? 0 : now - _waitingSince;
        if (!ConcurrencyRules.MayWait(policy, _count, _current, _limit.MeanLatency, waitingFor, latest - now))
            return default;
        if (_count == 0)
            _waitingSince = now;
        var waiter = new ConcurrencyWaiter(_continuations);
        waiter.Place = _waiting.AddLast(waiter);
        _count++;
        return new(waiter, 0);
    }

    private void Admit(ConcurrencyPolicy policy, ref Turns turns)
    {
        _current = _limit.Of(policy);
        while (_inFlight < _current && _waiting.First is { Value: var first })
        {
            Remove(first);
            _inFlight++;
            first.Number = _limit.Number;
            turns.Add(first);
        }
    }

    private void Remove(ConcurrencyWaiter waiter)
    {
        _waiting.Remove(waiter.Place!);
        waiter.Place = null;
        _count--;
    }
}

/// <summary>The answer to an attempt that asks for a place.</summary>
/// <param name="Waiter">Null when it need not wait, or may not.</param>
/// <param name="Number">The number of the limit under which it begins; 0 when it has no place.</param>
internal readonly record struct ConcurrencyTurn(ConcurrencyWaiter? Waiter, int Number)
{
    internal bool IsRejected => Waiter is null && Number == 0;
}

/// <summary>An attempt that waits for a place. Its gate changes it, under its lock and before the wait ends.</summary>
/// <param name="continuations">How the attempt continues when its turn has come.</param>
internal sealed class ConcurrencyWaiter(TaskCreationOptions continuations) : TurnWaiter(continuations)
{
    /// <summary>The number of the limit under which it begins.</summary>
    internal int Number { get; set; }

    /// <summary>Its place in the queue; null when it waits no longer.</summary>
    internal LinkedListNode<ConcurrencyWaiter>? Place { get; set; }
}
