namespace HttpResilience;

/// <summary>A response body whose beginning was read ahead; its reader still gets the whole body.</summary>
internal sealed class PeekedContent : StreamedContent
{
    private static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    private readonly PeekedStream _stream;

    private PeekedContent(HttpContent original, PeekedStream stream) : base(original, stream) => _stream = stream;

    /// <summary>The bytes read ahead.</summary>
    internal ReadOnlyMemory<byte> Seen => _stream.Seen;

    /// <summary>Reads the beginning of a response and prepends it to the rest. The wait ends after <paramref name="timeout"/>.</summary>
    /// <returns>The stream with the bytes read so far.</returns>
    internal static async ValueTask<PeekedStream> PeekAsync(
        HttpResponseMessage response, int maxBytes, TimeSpan timeout, TimeProvider time, bool async, CancellationToken cancellationToken)
    {
        if (response.Content is PeekedContent { _stream: var known } && known.Covers(maxBytes))
            return known;

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
            // A slow or broken body fails in the same way for the reader of the response.
            peeked.Enough();
        }

        // A content that failed to open stays in place: it may still be readable in another way.
        if (!peeked.IsRead || peeked.IsOpen)
            response.Content = new PeekedContent(response.Content, peeked);
        return peeked;
    }
}
