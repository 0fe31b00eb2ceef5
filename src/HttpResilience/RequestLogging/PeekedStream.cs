namespace HttpResilience;

/// <summary>A body whose beginning was read ahead. Reading begins with that, waits for a read-ahead that is still going on, and goes on with the rest.</summary>
internal sealed class PeekedStream(HttpContent content, int maxBytes) : Stream
{
    private readonly byte[] _ahead = new byte[maxBytes];
    private Stream? _inner;
    private int _aheadLength;
    private int _position;
    private Task _peek = Task.CompletedTask;

    internal ReadOnlyMemory<byte> Seen => _ahead.AsMemory(0, Volatile.Read(ref _aheadLength));

    internal bool IsOpen => _inner is not null;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Opens the body and reads ahead until the buffer is full or the body ends. What is begun here, the reader of the response goes on with: no token ends it.</summary>
    internal Task PeekAsync()
    {
        _peek = ReadAheadAsync();
        // A failure that nobody is there to read any more is nobody's business.
        _ = _peek.ContinueWith(static peek => peek.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        return _peek;
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await PeekEndAsync(cancellationToken).ConfigureAwait(false);
        int copied = TakeAhead(buffer.Span);
        return copied > 0 || buffer.IsEmpty ? copied : await _inner!.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(Span<byte> buffer)
    {
        PeekEndAsync(CancellationToken.None).GetAwaiter().GetResult();
        int copied = TakeAhead(buffer);
        return copied > 0 || buffer.IsEmpty ? copied : _inner!.Read(buffer);
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            content.Dispose();
        base.Dispose(disposing);
    }

    private async Task ReadAheadAsync()
    {
        _inner = await content.ReadAsStreamAsync(CancellationToken.None).ConfigureAwait(false);
        int read;
        while (_aheadLength < maxBytes && (read = await _inner.ReadAsync(_ahead.AsMemory(_aheadLength)).ConfigureAwait(false)) > 0)
            Volatile.Write(ref _aheadLength, _aheadLength + read);
    }

    // What has come is handed out before a failure is: the failure is where the rest would be. A reader that gives up while the read-ahead still
    // waits for the wire closes the stream, as cancelling the read itself would have.
    private async Task PeekEndAsync(CancellationToken cancellationToken)
    {
        if (_peek.IsCompletedSuccessfully || (_position < Volatile.Read(ref _aheadLength) && _position < maxBytes))
            return;

        try
        {
            await _peek.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            content.Dispose();
            throw;
        }
    }

    private int TakeAhead(Span<byte> buffer)
    {
        int length = Math.Min(buffer.Length, Volatile.Read(ref _aheadLength) - _position);
        _ahead.AsSpan(_position, length).CopyTo(buffer);
        _position += length;
        return length;
    }
}
