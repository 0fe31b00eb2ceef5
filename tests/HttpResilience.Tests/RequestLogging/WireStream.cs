namespace HttpResilience.Tests.RequestLogging;

/// <summary>A response body as it comes from the wire: readable once, in pieces, and at its end it may break or stall.</summary>
internal sealed class WireStream(byte[] body, Exception? breaksWith = null, Task? stallsUntil = null) : Stream
{
    private const int Piece = 7;
    private int _position;

    private readonly TaskCompletionSource _stalled = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when a reader has come to where the body stalls.</summary>
    public Task Stalled => _stalled.Task;

    public bool IsDisposed { get; private set; }

    /// <summary>A read that stalled was given up, which closes a real connection.</summary>
    public bool IsCancelled { get; private set; }

    public int Reads { get; private set; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>The content of a response that has this body.</summary>
    public StreamContent ToContent(string mediaType = "text/plain") => new(this) { Headers = { ContentType = new(mediaType) } };

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await Task.Yield();
        Reads++;
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        if (_position == body.Length && stallsUntil is not null)
        {
            cancellationToken.Register(() => IsCancelled = true);
            _stalled.TrySetResult();
            await stallsUntil.WaitAsync(cancellationToken);
        }

        if (_position == body.Length && breaksWith is not null)
            throw breaksWith;

        int count = Math.Min(Math.Min(buffer.Length, Piece), body.Length - _position);
        body.AsMemory(_position, count).CopyTo(buffer);
        _position += count;
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) =>
        ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        IsDisposed = true;
        base.Dispose(disposing);
    }
}
