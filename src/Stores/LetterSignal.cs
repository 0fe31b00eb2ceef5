namespace HttpResilience;

/// <summary>Tells whoever waits for letters that there are some. What comes while nobody waits is told to the next who does.</summary>
internal sealed class LetterSignal
{
    private readonly Lock _gate = new();
    private TaskCompletionSource? _waiting;
    private bool _given;

    /// <summary>Ends when it has been given since it was last taken.</summary>
    internal Task Given
    {
        get
        {
            lock (_gate)
                return _given ? Task.CompletedTask : (_waiting ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    internal void Give()
    {
        TaskCompletionSource? waiting;
        lock (_gate)
        {
            _given = true;
            waiting = _waiting;
            _waiting = null;
        }

        waiting?.TrySetResult();
    }

    /// <summary>Whoever has waited, however that ended, looks for letters now: what was told until here needs not be told again.</summary>
    internal void Take()
    {
        lock (_gate)
            _given = false;
    }
}
