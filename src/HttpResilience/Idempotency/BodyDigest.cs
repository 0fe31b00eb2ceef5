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

    // Kept from digest to digest: making one costs more than to hash a short body.
    [ThreadStatic]
    private static HashStream? _hashOfThread;

    /// <summary>The digest of a body in memory.</summary>
    internal static byte[] Of(HttpContent? content)
    {
        // No code of the application runs that could write to it later.
        var hash = _hashOfThread ??= new();
        try
        {
            hash.Begin();
            content?.CopyTo(hash, context: null, CancellationToken.None);
            return hash.End();
        }
        catch
        {
            // It may have begun.
            _hashOfThread = null;
            hash.Dispose();
            throw;
        }
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

        if (RequestBody.IsInMemory(content))
            return Of(content);
        // A stream is rewound before each send.
        if (content is not (StreamContent or SeekableContent))
            await content.LoadIntoBufferAsync(cancellationToken).ConfigureAwait(false);
        using var hash = new HashStream();
        hash.Begin();
        await content.CopyToAsync(hash, cancellationToken).ConfigureAwait(false);
        return hash.End();
    }

    private static byte[]? OfRecord(ReplayableContent recorded)
    {
        if (recorded.Original is MultipartContent parts)
            return recorded.Recorded is { } body ? Of(parts, body) : null;
        using var hash = new HashStream();
        hash.Begin();
        return recorded.TryCopyRecordTo(hash) ? hash.End() : null;
    }

    private static byte[]? Of(HttpContent content, ReadOnlySpan<byte> body)
    {
        if (content is not MultipartContent parts)
        {
            using var hash = new HashStream();
            hash.Begin();
            hash.Write(body);
            return hash.End();
        }

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

    /// <summary>Hashes what is written to it.</summary>
    private sealed class HashStream : WriteStream
    {
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        internal void Begin() => Write([Plain]);

        internal byte[] End() => _hash.GetHashAndReset();

        public override void Write(ReadOnlySpan<byte> buffer) => _hash.AppendData(buffer);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (cancellationToken.IsCancellationRequested)
                return ValueTask.FromCanceled(cancellationToken);
            Write(buffer.Span);
            return default;
        }

        public override void Flush()
        {
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                _hash.Dispose();
            base.Dispose(disposing);
        }
    }
}
