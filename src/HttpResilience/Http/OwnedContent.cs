namespace HttpResilience;

/// <summary>
/// The content of every attempt of a request, for as long as its call lasts. A handler, or the caller, may dispose it or read its stream:
/// the next attempt sends the same body, and the original is disposed when the call has ended.
/// </summary>
internal abstract class OwnedContent(HttpContent original) : WrappedContent(original)
{
    private readonly Lock _disposal = new();
    private bool _isDisposed;
    private bool _hasEnded;

    internal HttpContent Original { get; } = original;

    /// <summary>The content itself ended the latest attempt: its source failed, or wrote another length than it announced.</summary>
    internal abstract bool HasFailed { get; }

    /// <summary>The connection was waiting for the content when the latest attempt ended.</summary>
    internal abstract bool IsSlow { get; }

    /// <summary>Bytes of the body were written to the connection of the latest attempt.</summary>
    internal abstract bool WasWritten { get; }

    /// <summary>The next attempt begins: nothing is known of it yet.</summary>
    /// <returns>False when the body cannot be sent once more.</returns>
    internal abstract bool TryReset();

    /// <summary>The call has ended.</summary>
    internal virtual void End()
    {
        bool isDisposed;
        lock (_disposal)
            (_hasEnded, isDisposed) = (true, _isDisposed);
        if (isDisposed)
            Dispose();
    }

    protected sealed override void Dispose(bool disposing)
    {
        bool hasEnded;
        lock (_disposal)
            (_isDisposed, hasEnded) = (true, _hasEnded);
        if (hasEnded)
            Original.Dispose();
        base.Dispose(disposing && hasEnded);
    }
}
