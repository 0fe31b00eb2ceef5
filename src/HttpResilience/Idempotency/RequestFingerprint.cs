using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;

namespace HttpResilience;

/// <summary>The fingerprint of a request: two requests with equal fingerprints are the same operation.</summary>
internal sealed class RequestFingerprint
{
    // Never changes: equal data must have equal keys across versions of this package.
    private const string Format = "HttpResilience content key 1";

    // In bytes: longer ones are written to pooled memory.
    private const int MaxStack = 512;

    private readonly string _method;
    private readonly string _uri;
    private readonly string? _tenant;
    private readonly byte[]? _body;

    /// <param name="uri">Compared by scheme, host, port, path and query, as sent.</param>
    /// <param name="tenant">The tenant; null differs from the empty text.</param>
    /// <param name="body">The digest of the body (<see cref="BodyDigest"/>); null when it is unknown.</param>
    internal RequestFingerprint(HttpMethod method, Uri? uri, string? tenant, byte[]? body)
    {
        // HttpMethod compares methods without case, and sends known methods in upper case.
        _method = method.Method.ToUpperInvariant();
        _uri = uri is { IsAbsoluteUri: true } ? new HttpAuthority(uri).ToString() + uri.PathAndQuery : uri?.OriginalString ?? "";
        _tenant = tenant;
        _body = body;
    }

    /// <summary>Whether it includes the body.</summary>
    internal bool HasBody => _body is not null;

    /// <summary>A hash that is equal for equal data on every machine and in every version.</summary>
    internal string Hash
    {
        get
        {
            int length = LengthOf(Format) + LengthOf(_method) + LengthOf(_uri) + LengthOf(_tenant) + (_body?.Length ?? 0);
            byte[]? rented = length > MaxStack ? ArrayPool<byte>.Shared.Rent(length) : null;
            Span<byte> data = rented ?? stackalloc byte[MaxStack];
            var rest = Write(Write(Write(Write(data, Format), _method), _uri), _tenant);
            _body.CopyTo(rest);
            Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
            SHA256.HashData(data[..length], hash);
            if (rented is not null)
                ArrayPool<byte>.Shared.Return(rented);
            return Base64Url.EncodeToString(hash);
        }
    }

    /// <summary>The idempotency key of the data.</summary>
    /// <exception cref="InvalidOperationException">The body is unknown.</exception>
    internal string ToKey() =>
        _body is not null ? Hash : throw new InvalidOperationException("A request whose body is not known has no key of its own.");

    /// <summary>
    /// The parts of the request that differ from <paramref name="other"/>, such as "URI and body"; null when no known part differs.
    /// </summary>
    internal string? DifferenceFrom(RequestFingerprint other)
    {
        List<string> parts = [];
        if (_method != other._method)
            parts.Add("method");
        if (_uri != other._uri)
            parts.Add("URI");
        if (_body is not null && other._body is not null && !_body.AsSpan().SequenceEqual(other._body))
            parts.Add("body");
        return parts.Count == 0 ? null : string.Join(" and ", parts);
    }

    /// <summary>
    /// Writes length and text, so that different lists of texts have different bytes; as UTF-16, as UTF-8 maps all invalid Unicode alike.
    /// </summary>
    internal static void Append(ArrayBufferWriter<byte> data, string? text)
    {
        int length = LengthOf(text);
        Write(data.GetSpan(length), text);
        data.Advance(length);
    }

    private static int LengthOf(string? text) => sizeof(int) + (text?.Length ?? 0) * sizeof(char);

    /// <returns>The rest of the memory.</returns>
    private static Span<byte> Write(Span<byte> data, string? text)
    {
        BinaryPrimitives.WriteInt32BigEndian(data, text?.Length ?? -1);
        var rest = data[sizeof(int)..];
        foreach (char c in text ?? "")
        {
            BinaryPrimitives.WriteUInt16BigEndian(rest, c);
            rest = rest[sizeof(char)..];
        }

        return rest;
    }
}
