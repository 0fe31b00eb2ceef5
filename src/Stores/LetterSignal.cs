namespace HttpResilience;

/// <summary>Ends the waits for letters when there are some. A signal given while no wait is running ends the next one at once.</summary>
internal sealed class LetterSignal
{
    private readonly Lock _gate = new();
    private TaskCompletionSource? _waiting;
    private long _given;
    private long _taken;

    /// <summary>The count of signals at the last <see cref="Take"/>: a new wait ends when the count exceeds it.</summary>
    internal long Taken
    {
        get
        {
            lock (_gate)
                return _taken;
        }
    }

    /// <summary>Completes when the count of signals exceeds this one, also when another wait has taken the signal meanwhile.</summary>
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

    /// <summary>Marks all signals as seen: after a wait, however it ended, the caller looks for letters.</summary>
    internal void Take()
    {
        lock (_gate)
            _taken = _given;
    }
}
