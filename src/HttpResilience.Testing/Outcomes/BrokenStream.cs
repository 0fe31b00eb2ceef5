namespace HttpResilience.Testing;

/// <summary>The beginning of a body, followed by a failure.</summary>
/// <param name="fail">Always throws. Its arguments: whether the read is asynchronous, and a token for a reader that gives up.</param>
internal sealed class BrokenStream(byte[] begin, Func<bool, CancellationToken, ValueTask> fail) : ForwardStream
{
    private readonly CancellationTokenSource _disposed = new();
    private int _position;

    public override int Read(Span<byte> buffer)
    {
        int count = Take(buffer);
        if (count == 0 && buffer.Length > 0)
            FailAsync(async: false, CancellationToken.None).AsTask().GetAwaiter().GetResult();
        return count;
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        int count = Take(buffer.Span);
        if (count == 0 && buffer.Length > 0)
            await FailAsync(async: true, cancellationToken).ConfigureAwait(false);
        return count;
    }

    protected override void Dispose(bool disposing)
    {
        // Ends a blocked read. The source is not disposed, because that read still uses its token.
        _disposed.Cancel();
        base.Dispose(disposing);
    }

    private int Take(Span<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(_disposed.IsCancellationRequested, this);
        int count = Math.Min(buffer.Length, begin.Length - _position);
        begin.AsSpan(_position, count).CopyTo(buffer);
        _position += count;
        return count;
    }

    private async ValueTask FailAsync(bool async, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(_disposed.Token, cancellationToken);
        try
        {
            await fail(async, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw new TaskCanceledException(null, null, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            throw new ObjectDisposedException(GetType().FullName);
        }
    }
}
