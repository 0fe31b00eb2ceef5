namespace HttpResilience;

/// <summary>A call that waits for its turn in a queue.</summary>
/// <param name="continuations">How the call continues when its wait is over.</param>
internal abstract class TurnWaiter(TaskCreationOptions continuations)
{
    private readonly TaskCompletionSource _turn = new(continuations);

    /// <summary>Completes when the wait is over.</summary>
    internal Task Turn => _turn.Task;

    /// <summary>The next one whose wait has ended at the same time.</summary>
    internal TurnWaiter? Next { get; set; }

    internal void Complete() => _turn.TrySetResult();
}

/// <summary>The calls whose wait has ended, in their order. Completed outside the lock of their queue.</summary>
internal struct Turns
{
    private TurnWaiter? _first;
    private TurnWaiter? _last;

    internal void Add(TurnWaiter waiter)
    {
        if (_last is null)
            _first = waiter;
        else
            _last.Next = waiter;
        _last = waiter;
    }

    internal readonly void Complete()
    {
        for (var waiter = _first; waiter is not null;)
        {
            var next = waiter.Next;
            waiter.Next = null;
            waiter.Complete();
            waiter = next;
        }
    }
}
