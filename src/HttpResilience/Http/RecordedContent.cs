using System.Buffers;
using System.Net;

namespace HttpResilience;

/// <summary>A response body that is copied while its reader reads it.</summary>
internal sealed class RecordedContent : WrappedContent
{
    private readonly HttpContent _original;
    private readonly int _maxBytes;
    private Action<ReadOnlyMemory<byte>>? _whole;

    private RecordedContent(HttpContent original, int maxBytes, Action<ReadOnlyMemory<byte>> whole) : base(original) =>
        (_original, _maxBytes, _whole) = (original, maxBytes, whole);

    /// <summary>
    /// Passes the body to <paramref name="whole"/> when it was read to its end; not when it is too long, breaks off or is not read to its
    /// end.
    /// </summary>
    /// <param name="isEmpty">There is no body, regardless of the header fields.</param>
    internal static void Record(HttpResponseMessage response, bool isEmpty, int maxBytes, Action<ReadOnlyMemory<byte>> whole)
    {
        if (isEmpty || response.Content.Headers.ContentLength == 0)
            whole(default);
        else if (!(response.Content.Headers.ContentLength > maxBytes))
            response.Content = new RecordedContent(response.Content, maxBytes, whole);
    }

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        if (_whole is null)
        {
            await _original.CopyToAsync(stream, context, cancellationToken).ConfigureAwait(false);
            return;
        }

        var body = Record(await _original.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false));
        await body.CopyToAsync(stream, cancellationToken).ConfigureAwait(false);
    }

    protected override void SerializeToStream(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        if (_whole is null)
            _original.CopyTo(stream, context, cancellationToken);
        else
            Record(_original.ReadAsStream(cancellationToken)).CopyTo(stream);
    }

    protected override async Task<Stream> CreateContentReadStreamAsync() =>
        Record(await _original.ReadAsStreamAsync().ConfigureAwait(false));

    protected override Stream CreateContentReadStream(CancellationToken cancellationToken) =>
        Record(_original.ReadAsStream(cancellationToken));

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _original.Dispose();
        base.Dispose(disposing);
    }

    private Stream Record(Stream body) =>
        Interlocked.Exchange(ref _whole, null) is { } whole ? new Recorded(body, _maxBytes, KnownLength, whole) : body;

    private sealed class Recorded(Stream inner, int maxBytes, long? length, Action<ReadOnlyMemory<byte>> whole) : ForwardStream
    {
        // Null after the recording has ended.
        private ArrayBufferWriter<byte>? _copy = new();

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            int read = await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            Add(buffer.Span, read);
            return read;
        }

        public override int Read(Span<byte> buffer)
        {
            int read = inner.Read(buffer);
            Add(buffer, read);
            return read;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                inner.Dispose();
            base.Dispose(disposing);
        }

        private void Add(ReadOnlySpan<byte> buffer, int read)
        {
            // A read into an empty buffer returns 0 without reaching the end.
            if (_copy is not { } copy || buffer.IsEmpty)
                return;
            if (read > maxBytes - copy.WrittenCount)
            {
                _copy = null;
                return;
            }

            try
            {
                copy.Write(buffer[..read]);
            }
            catch (OutOfMemoryException)
            {
                // The reader has its bytes; only the copy ends.
                _copy = null;
                return;
            }

            bool isEnd = read == 0;
            if (!isEnd && copy.WrittenCount != length)
                return;
            _copy = null;
            if (length is null || copy.WrittenCount == length)
                whole(copy.WrittenSpan.ToArray());
        }
    }
}
