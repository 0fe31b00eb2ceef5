namespace HttpResilience;

/// <summary>A change that waits for the one writer of the store, which writes it together with others.</summary>
internal abstract class PendingWrite(CancellationToken cancelled)
{
    private readonly TaskCompletionSource _made = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the change is durable, has failed, or is cancelled by its caller.</summary>
    internal Task Made => _made.Task.WaitAsync(cancelled);

    /// <summary>Whether the caller has cancelled: a change that has not begun is dropped.</summary>
    internal bool IsAbandoned => cancelled.IsCancellationRequested;

    internal void Complete() => _made.TrySetResult();

    internal void Fail(Exception exception)
    {
        _made.TrySetException(exception);
        // The exception is observed here, because the caller may have cancelled.
        _ = _made.Task.Exception;
    }
}
