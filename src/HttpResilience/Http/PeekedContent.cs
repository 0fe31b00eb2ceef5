using System.Net;

namespace HttpResilience;

/// <summary>A response body of which the beginning has been read already. The reader notices nothing.</summary>
internal sealed class PeekedContent : WrappedContent
{
    private static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    private readonly PeekedStream _stream;

    private PeekedContent(HttpContent original, PeekedStream stream) : base(original) => _stream = stream;

    /// <summary>
    /// Reads the beginning of a response, and puts it back in front of the rest. A body that does not come in time is not waited for.
    /// </summary>
    /// <returns>What has come until now.</returns>
    internal static async ValueTask<PeekedStream> PeekAsync(
        HttpResponseMessage response, int maxBytes, TimeSpan timeout, TimeProvider time, bool async, CancellationToken cancellationToken)
    {
        var peeked = new PeekedStream(response.Content, maxBytes);
        Task reading = peeked.PeekAsync();
        try
        {
            reading = reading.IsCompleted ? reading : reading.WaitAsync(timeout < Longest ? timeout : Longest, time, cancellationToken);
            if (async)
                await reading.ConfigureAwait(false);
            else
                reading.GetAwaiter().GetResult();
        }
        catch (Exception)
        {
            // Too slow, or broken, whatever a decompressor or a content of the application's throws: whoever reads the response will meet
            // the same.
            peeked.Enough();
        }

        // A content that cannot be opened may still be read in another way.
        if (!peeked.IsRead || peeked.IsOpen)
            response.Content = new PeekedContent(response.Content, peeked);
        return peeked;
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
        _stream.CopyToAsync(stream, cancellationToken);

    protected override void SerializeToStream(Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
        _stream.CopyTo(stream);

    protected override Task<Stream> CreateContentReadStreamAsync() => Task.FromResult<Stream>(_stream);

    protected override Stream CreateContentReadStream(CancellationToken cancellationToken) => _stream;

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _stream.Dispose();
        base.Dispose(disposing);
    }
}
