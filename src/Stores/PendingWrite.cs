namespace HttpResilience;

/// <summary>A change that somebody waits for while the one writer of the store makes it, together with those of others.</summary>
internal abstract class PendingWrite(CancellationToken cancelled)
{
    private readonly TaskCompletionSource _made = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when the change is durable, when it has failed, or when the caller no longer waits.</summary>
    internal Task Made => _made.Task.WaitAsync(cancelled);

    /// <summary>Nobody waits any more: a change that has not begun need not be made.</summary>
    internal bool IsAbandoned => cancelled.IsCancellationRequested;

    internal void Complete() => _made.TrySetResult();

    internal void Fail(Exception exception)
    {
        _made.TrySetException(exception);
        // The caller may have gone; that nobody was told is no fault then.
        _ = _made.Task.Exception;
    }
}
