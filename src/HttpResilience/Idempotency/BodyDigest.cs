using System.Buffers;
using System.Net.Http.Headers;
using System.Security.Cryptography;

namespace HttpResilience;

/// <summary>
/// The digest (SHA-256) of a request body. Content that is serialized for each send is buffered first, and content that can be written only
/// once is recorded, so that the sent body is the digested one.
/// </summary>
internal static class BodyDigest
{
    // The first digested byte: a multipart body never equals a plain body with the same bytes.
    private const byte Plain = 0;
    private const byte Multipart = 1;

    /// <summary>The digest of a body in memory.</summary>
    internal static byte[] Of(HttpContent? content, CancellationToken cancellationToken)
    {
        using var digest = new Digest();
        content?.CopyTo(digest.Output, context: null, cancellationToken);
        return digest.End();
    }

    /// <returns>Null when the body can be written only once and is too long.</returns>
    internal static async ValueTask<byte[]?> ReadAsync(HttpContent content, CancellationToken cancellationToken)
    {
        if (content is ReplayableContent recorded)
            return await recorded.RecordAsync(async: true, cancellationToken).ConfigureAwait(false) ? OfRecord(recorded) : null;

        if (content is MultipartContent parts)
        {
            List<byte[]?> digests = [];
            foreach (var part in parts)
                digests.Add(await ReadAsync(part, cancellationToken).ConfigureAwait(false));
            return OfParts(parts, digests);
        }

        // A stream is rewound before each send.
        if (!RequestBody.IsInMemory(content) && content is not (StreamContent or SeekableContent))
            await content.LoadIntoBufferAsync(cancellationToken).ConfigureAwait(false);
        using var digest = new Digest();
        await content.CopyToAsync(digest.Output, cancellationToken).ConfigureAwait(false);
        return digest.End();
    }

    private static byte[]? OfRecord(ReplayableContent recorded) => recorded.Recorded is { } body ? Of(recorded.Original, body) : null;

    private static byte[]? Of(HttpContent content, ReadOnlySpan<byte> body)
    {
        if (content is not MultipartContent parts)
            return SHA256.HashData([Plain, .. body]);
        if (!parts.Any())
            return OfParts(parts, []);

        var bodies = MultipartBytes.BodiesIn(body);
        if (bodies?.Count != parts.Count())
            return null;
        List<byte[]?> digests = [];
        foreach (var part in parts)
            digests.Add(Of(part, body[bodies[digests.Count]]));
        return OfParts(parts, digests);
    }

    // Part by part, without the boundary, which differs each time.
    private static byte[]? OfParts(MultipartContent parts, List<byte[]?> digests)
    {
        var data = new ArrayBufferWriter<byte>();
        data.Write([Multipart]);
        int index = 0;
        foreach (var part in parts)
        {
            if (digests[index++] is not { } digest)
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

    private sealed class Digest : IDisposable
    {
        private readonly SHA256 _hash = SHA256.Create();

        internal Digest()
        {
            Output = new(Stream.Null, _hash, CryptoStreamMode.Write);
            Output.WriteByte(Plain);
        }

        internal CryptoStream Output { get; }

        internal byte[] End()
        {
            Output.FlushFinalBlock();
            return _hash.Hash!;
        }

        public void Dispose()
        {
            Output.Dispose();
            _hash.Dispose();
        }
    }
}
