namespace HttpResilience;

/// <summary>
/// A body whose beginning is read ahead. A reader gets those bytes first, waits for a read-ahead in progress, then reads the rest.
/// </summary>
internal sealed class PeekedStream(HttpContent content, int maxBytes) : ForwardStream
{
    private const int FirstBytes = 4096;

    private byte[] _ahead = new byte[Math.Min(maxBytes, FirstBytes)];
    private readonly CancellationTokenSource _abandoned = new();
    private volatile bool _isEnough;
    private Stream? _inner;
    private int _aheadLength;
    private int _position;
    private Task _peek = Task.CompletedTask;

    internal ReadOnlyMemory<byte> Seen
    {
        get
        {
            // Read before the array: the array grows first.
            int length = Volatile.Read(ref _aheadLength);
            return _ahead.AsMemory(0, length);
        }
    }

    internal bool IsOpen => _inner is not null;

    /// <summary>The read-ahead has ended.</summary>
    internal bool IsRead => _peek.IsCompleted;

    /// <summary>The body has ended: <see cref="Seen"/> holds all of it.</summary>
    internal bool IsWhole { get; private set; }

    /// <summary>Reading so many bytes ahead again gives nothing more: the body has ended, failed or stalled before.</summary>
    internal bool Covers(int bytes) => IsWhole || bytes <= maxBytes;

    /// <summary>Opens the body and reads ahead until the buffer is full, the body ends, or <see cref="Enough"/> is called.</summary>
    internal Task PeekAsync()
    {
        _peek = ReadAheadAsync();
        // Observes the exception, as the body may have no reader.
        _ = _peek.ContinueWith(
            static peek => peek.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        return _peek;
    }

    /// <summary>Ends the read-ahead after the current read, so that a reader gets the rest as it arrives.</summary>
    internal void Enough() => _isEnough = true;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await PeekEndAsync(cancellationToken).ConfigureAwait(false);
        int copied = TakeAhead(buffer.Span);
        return copied > 0 || buffer.IsEmpty ? copied : await _inner!.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
    }

    public override int Read(Span<byte> buffer)
    {
        PeekEndAsync(CancellationToken.None).GetAwaiter().GetResult();
        int copied = TakeAhead(buffer);
        return copied > 0 || buffer.IsEmpty ? copied : _inner!.Read(buffer);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Abandon();
            content.Dispose();
        }

        base.Dispose(disposing);
    }

    private async Task ReadAheadAsync()
    {
        _inner = await content.ReadAsStreamAsync(_abandoned.Token).ConfigureAwait(false);
        while (!_isEnough && HasRoom())
        {
            int read = await _inner.ReadAsync(_ahead.AsMemory(_aheadLength), _abandoned.Token).ConfigureAwait(false);
            if (read == 0)
            {
                IsWhole = true;
                return;
            }

            Volatile.Write(ref _aheadLength, _aheadLength + read);
        }
    }

    private bool HasRoom()
    {
        if (_aheadLength == _ahead.Length && _aheadLength < maxBytes)
        {
            byte[] longer = new byte[Math.Min(maxBytes, 2L * _aheadLength)];
            _ahead.AsSpan().CopyTo(longer);
            Volatile.Write(ref _ahead, longer);
        }

        return _aheadLength < _ahead.Length;
    }

    // A pending read would take bytes of the next response after the connection returns to the pool. Cancelling the read closes the
    // connection.
    private void Abandon()
    {
        if (!_peek.IsCompleted)
            _abandoned.Cancel();
    }

    // The reader gets the bytes read ahead before the failure that ended the read-ahead.
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
            await DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private int TakeAhead(Span<byte> buffer)
    {
        int length = Math.Min(buffer.Length, Volatile.Read(ref _aheadLength) - _position);
        Seen.Span.Slice(_position, length).CopyTo(buffer);
        _position += length;
        return length;
    }
}
