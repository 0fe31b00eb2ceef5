namespace HttpResilience;

/// <summary>A change that waits for the one writer of the store, which writes it together with others.</summary>
/// <param name="due">The timestamp until which its caller waits.</param>
internal abstract class PendingWrite(long due, CancellationToken cancelled)
{
    /// <summary>
    /// The time for a letter. Below the 10 s that its caller waits, so that the log has the reason of the store, not a cancellation.
    /// </summary>
    internal static readonly TimeSpan LetterTimeout = TimeSpan.FromSeconds(8);

    /// <summary>The time for a remembered call, whose caller waits 5 s.</summary>
    internal static readonly TimeSpan KeyTimeout = TimeSpan.FromSeconds(4);

    /// <summary>A change that has waited for others before it gets at least this.</summary>
    internal static readonly TimeSpan MinTimeout = TimeSpan.FromSeconds(0.5);

    private readonly TaskCompletionSource _made = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The timestamp until which its caller waits.</summary>
    internal long Due => due;

    /// <summary>Completes when the change is durable, has failed, or is cancelled by its caller.</summary>
    internal Task Made => _made.Task.WaitAsync(cancelled);

    /// <summary>Whether the caller has cancelled: a change that has not begun is dropped.</summary>
    internal bool IsAbandoned => cancelled.IsCancellationRequested;

    /// <summary>A try to write it was sent, and its answer was lost.</summary>
    internal bool MayHaveBeenMade { get; set; }

    internal void Complete() => _made.TrySetResult();

    internal void Fail(Exception exception)
    {
        _made.TrySetException(
            MayHaveBeenMade && exception is HttpResilienceStorageException { MayHaveBeenMade: false } known
                ? new HttpResilienceStorageException(known.Message, known.InnerException) { MayHaveBeenMade = true }
                : exception);
        // The exception is observed here, because the caller may have cancelled.
        _ = _made.Task.Exception;
    }
}
