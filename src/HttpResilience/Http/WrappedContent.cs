using System.Net;

namespace HttpResilience;

/// <summary>A content that sends the body of another one, with a copy of its header fields.</summary>
internal abstract class WrappedContent : HttpContent
{
    private readonly long? _length;

    protected WrappedContent(HttpContent original)
    {
        _length = LengthOf(original);
        foreach (var (name, values) in original.Headers.NonValidated)
            Headers.TryAddWithoutValidation(name, values);
    }

    /// <summary>The length of the body; null when it is unknown.</summary>
    protected long? KnownLength => _length;

    protected sealed override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected abstract override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken);

    // A stream may say that it can seek and then fail to tell its length: the length is not known.
    private static long? LengthOf(HttpContent content)
    {
        try
        {
            return content.Headers.ContentLength;
        }
        catch (Exception e) when (e is NotSupportedException or InvalidOperationException or IOException)
        {
            return null;
        }
    }

    protected sealed override bool TryComputeLength(out long length)
    {
        length = _length ?? 0;
        return _length is not null;
    }
}
