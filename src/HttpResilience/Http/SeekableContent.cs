using System.Net;

namespace HttpResilience;

/// <summary>
/// A request body in a stream that can seek: each attempt reads it from its start. Exceptions of the stream are distinguished from
/// exceptions of the connection.
/// </summary>
internal sealed class SeekableContent : OwnedContent
{
    // The platform's view of the stream.
    private readonly Stream _source;
    private readonly long _start;
    private OpenStream? _connection;
    private volatile TaskCompletionSource? _sending;

    internal SeekableContent(StreamContent original) : base(original)
    {
        _source = RequestBody.StreamOf(original);
        _start = ProtectedContent.StartOf(original, _source);
    }

    /// <summary>
    /// Completes when no attempt reads the stream. Over HTTP/2 a response may come before that (RFC 9113 §8.1): the platform then waits
    /// for its own contents only.
    /// </summary>
    internal Task Sent => _sending?.Task ?? Task.CompletedTask;

    internal override bool HasFailed => _connection is { HasSourceFailed: true };

    internal override bool IsSlow => _connection is { IsSourceSlow: true };

    internal override bool WasWritten => _connection is { Written: > 0 };

    internal override bool TryReset()
    {
        if (!Sent.IsCompleted)
            return false;
        _connection = null;
        try
        {
            if (!_source.CanSeek)
                return false;
            // A handler of the previous attempt may have read the stream to its end.
            _source.Position = _start;
            // The platform refuses to send another length than the announced one.
            return _source.Length - _start == KnownLength;
        }
        catch (Exception e) when (e is ObjectDisposedException or IOException or NotSupportedException or InvalidOperationException)
        {
            // The caller has closed the stream.
            return false;
        }
    }

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        var connection = Open(stream);
        var sending = _sending = new(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            await _source.CopyToAsync(connection, cancellationToken).ConfigureAwait(false);
            connection.Complete();
        }
        catch (Exception)
        {
            connection.Fail(cancellationToken.IsCancellationRequested);
            throw;
        }
        finally
        {
            sending.SetResult();
        }
    }

    protected override void SerializeToStream(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        var connection = Open(stream);
        var sending = _sending = new(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            _source.CopyTo(connection);
            connection.Complete();
        }
        catch (Exception)
        {
            connection.Fail(cancellationToken.IsCancellationRequested);
            throw;
        }
        finally
        {
            sending.SetResult();
        }
    }

    protected override Task<Stream> CreateContentReadStreamAsync() =>
        Task.FromResult(CreateContentReadStream(CancellationToken.None));

    protected override Stream CreateContentReadStream(CancellationToken cancellationToken)
    {
        _source.Position = _start;
        return new OpenStream(_source, length: null);
    }

    private OpenStream Open(Stream connection)
    {
        _source.Position = _start;
        return _connection = new(connection, KnownLength);
    }

    /// <summary>Wraps the source or the connection, which stays open when the wrapper is closed.</summary>
    private sealed class OpenStream(Stream inner, long? length) : Stream
    {
        private bool _isWriting;
        private bool _isDone;

        internal long Written { get; private set; }

        internal bool HasSourceFailed { get; private set; }

        internal bool IsSourceSlow => !_isWriting && !_isDone;

        public override bool CanRead => inner.CanRead;

        public override bool CanSeek => inner.CanSeek;

        public override bool CanWrite => inner.CanWrite;

        public override long Length => inner.Length;

        public override long Position
        {
            get => inner.Position;
            set => inner.Position = value;
        }

        // The connection refuses another length than the announced one.
        internal void Complete() => (_isDone, HasSourceFailed) = (true, Written != length);

        // The failure of a write is that of the connection.
        internal void Fail(bool isCancelled) => HasSourceFailed = !_isWriting && !isCancelled;

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Begin(buffer.Length);
            await inner.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
            End(buffer.Length);
        }

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            Begin(buffer.Length);
            inner.Write(buffer);
            End(buffer.Length);
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            inner.ReadAsync(buffer, cancellationToken);

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            inner.ReadAsync(buffer, offset, count, cancellationToken);

        public override int Read(Span<byte> buffer) => inner.Read(buffer);

        public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

        public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

        public override void Flush() => inner.Flush();

        public override long Seek(long offset, SeekOrigin origin) => inner.Seek(offset, origin);

        public override void SetLength(long value) => inner.SetLength(value);

        // Unless the source writes too much.
        private void Begin(int count) => _isWriting = !(Written + count > length);

        private void End(int count) => (_isWriting, Written) = (false, Written + count);
    }
}
