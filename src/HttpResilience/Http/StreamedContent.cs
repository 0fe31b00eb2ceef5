using System.Net;

namespace HttpResilience;

/// <summary>A content whose body is read through one stream.</summary>
/// <param name="original">The content whose header fields it has.</param>
/// <param name="body">The body; disposed with the content.</param>
internal abstract class StreamedContent(HttpContent original, Stream body) : WrappedContent(original)
{
    protected sealed override Task SerializeToStreamAsync(
        Stream stream, TransportContext? context, CancellationToken cancellationToken) => body.CopyToAsync(stream, cancellationToken);

    protected sealed override void SerializeToStream(Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
        body.CopyTo(stream);

    protected sealed override Task<Stream> CreateContentReadStreamAsync() => Task.FromResult(body);

    protected sealed override Stream CreateContentReadStream(CancellationToken cancellationToken) => body;

    protected sealed override void Dispose(bool disposing)
    {
        if (disposing)
            body.Dispose();
        base.Dispose(disposing);
    }
}
