using System.Buffers;
using System.Net.Http.Headers;
using System.Security.Cryptography;

namespace HttpResilience;

/// <summary>
/// The digest (SHA-256) of a request body. Content that is serialized for each send is buffered first, so that the sent body is the
/// digested one.
/// </summary>
/// <param name="maxBytes">The maximum size of a buffered body that can be read only once.</param>
/// <param name="required">The request is not sent without the digest: a body of unknown length is read to check its size.</param>
internal sealed class BodyDigest(int maxBytes, bool required, bool async, CancellationToken cancellationToken)
{
    // The first digested byte: a multipart body never equals a plain body with the same bytes.
    private const byte Plain = 0;
    private const byte Multipart = 1;

    private int _left = maxBytes;

    /// <returns>
    /// Null when the body can be read only once and is too long, or has an unknown length and the digest is not required.
    /// </returns>
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

    // Part by part, without the boundary, which differs each time.
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
            // Derived from the body, and present only after it was read.
            if (name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase))
                continue;
            bool hasBoundary = part is MultipartContent && name.Equals("Content-Type", StringComparison.OrdinalIgnoreCase);
            RequestFingerprint.Append(data, name);
            RequestFingerprint.Append(
                data, hasBoundary && MediaTypeHeaderValue.TryParse(values.ToString(), out var type) ? type.MediaType : values.ToString());
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
        // Reading the length sets the header, which would be sent with a part.
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
