namespace HttpResilience;

/// <summary>Tells whoever waits for letters that there are some. What comes while nobody waits is told to the next who does.</summary>
internal sealed class LetterSignal
{
    private readonly Lock _gate = new();
    private TaskCompletionSource? _waiting;
    private long _given;
    private long _taken;

    /// <summary>How often it had been given when it was last taken: where a wait that begins now begins.</summary>
    internal long Taken
    {
        get
        {
            lock (_gate)
                return _taken;
        }
    }

    /// <summary>Ends when it has been given more often than that. Who waits is not passed over because another has taken it meanwhile.</summary>
    internal Task GivenAfter(long count)
    {
        lock (_gate)
            return _given > count ? Task.CompletedTask : (_waiting ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
    }

    internal void Give()
    {
        TaskCompletionSource? waiting;
        lock (_gate)
        {
            _given++;
            waiting = _waiting;
            _waiting = null;
        }

        waiting?.TrySetResult();
    }

    /// <summary>Whoever has waited, however that ended, looks for letters now: what was told until here needs not be told again.</summary>
    internal void Take()
    {
        lock (_gate)
            _taken = _given;
    }
}
