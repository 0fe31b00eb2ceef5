using System.Buffers;
using System.Net.Http.Headers;
using System.Security.Cryptography;

namespace HttpResilience;

/// <summary>
/// The digest (SHA-256) of a request body. What would be written anew each time is written once and kept, so that what is sent afterwards is what was digested.
/// </summary>
/// <param name="maxBytes">How much of what can be read only once is kept.</param>
/// <param name="required">Without the digest the request is not sent: even a body of unknown length may be read to see whether it is short enough.</param>
internal sealed class BodyDigest(int maxBytes, bool required, bool async, CancellationToken cancellationToken)
{
    // What is digested begins with one of these: a multipart body is never taken for another that holds the same bytes.
    private const byte Plain = 0;
    private const byte Multipart = 1;

    private int _left = maxBytes;

    /// <returns>Null when the body can be read only once and is too long to be kept; its length may also just be unknown when the digest is not required.</returns>
    internal async ValueTask<byte[]?> ReadAsync(HttpContent? content)
    {
        if (content is MultipartContent parts)
            return await ReadPartsAsync(parts).ConfigureAwait(false);
        if (content is not null && !await KeepAsync(content).ConfigureAwait(false))
            return null;

        using var hash = SHA256.Create();
        using var digest = new CryptoStream(Stream.Null, hash, CryptoStreamMode.Write);
        digest.WriteByte(Plain);
        if (async && content is not null)
            await content.CopyToAsync(digest, cancellationToken).ConfigureAwait(false);
        else
            content?.CopyTo(digest, context: null, cancellationToken);
        digest.FlushFinalBlock();
        return hash.Hash;
    }

    // Part by part, without the boundary, which is another each time.
    private async ValueTask<byte[]?> ReadPartsAsync(MultipartContent content)
    {
        var data = new ArrayBufferWriter<byte>();
        data.Write([Multipart]);
        foreach (var part in content)
        {
            if (await ReadAsync(part).ConfigureAwait(false) is not { } digest)
                return null;
            AppendHeaders(data, part);
            data.Write(digest);
        }

        return SHA256.HashData(data.WrittenSpan);
    }

    private static void AppendHeaders(ArrayBufferWriter<byte> data, HttpContent part)
    {
        foreach (var (name, values) in part.Headers.NonValidated)
        {
            // It follows from the body, and stands there only when somebody has asked for it.
            if (name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase))
                continue;
            bool hasBoundary = part is MultipartContent && name.Equals("Content-Type", StringComparison.OrdinalIgnoreCase);
            RequestFingerprint.Append(data, name);
            RequestFingerprint.Append(data, hasBoundary && MediaTypeHeaderValue.TryParse(values.ToString(), out var type) ? type.MediaType : values.ToString());
        }

        RequestFingerprint.Append(data, null);
    }

    private async ValueTask<bool> KeepAsync(HttpContent content)
    {
        if (IsAlwaysWrittenAlike(content))
            return true;
        if (RequestBody.IsReplayable(content))
        {
            await RequestBody.KeepAsync(content, int.MaxValue, async, cancellationToken).ConfigureAwait(false);
            return true;
        }

        bool saysLength = content.Headers.NonValidated.Contains("Content-Length");
        bool kept = await KeepOneWayAsync(content).ConfigureAwait(false);
        if (kept)
            _left = (int)Math.Max(0, _left - content.Headers.ContentLength.GetValueOrDefault());
        // To ask for the length is to set the header, which would be sent with a part.
        if (!saysLength)
            content.Headers.Remove("Content-Length");
        return kept;
    }

    private async ValueTask<bool> KeepOneWayAsync(HttpContent content)
    {
        if (!required)
            return await RequestBody.TryKeepAsync(content, _left, async, cancellationToken).ConfigureAwait(false);
        try
        {
            await RequestBody.KeepAsync(content, _left, async, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (HttpRequestException e) when (e.HttpRequestError is HttpRequestError.ConfigurationLimitExceeded)
        {
            return false;
        }
    }

    private static bool IsAlwaysWrittenAlike(HttpContent content) =>
        content is ByteArrayContent or ReadOnlyMemoryContent || (content is StreamContent stream && RequestBody.IsReplayable(stream));
}
