using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;

namespace HttpResilience;

/// <summary>What a request asks for: two requests with equal fingerprints are the same operation.</summary>
internal sealed class RequestFingerprint
{
    // What keys are made of never changes: the same data must have the same key after an update of this package, too.
    private const string Format = "HttpResilience content key 1";

    private readonly string _method;
    private readonly string _uri;
    private readonly string? _tenant;
    private readonly byte[]? _body;

    /// <param name="uri">Counts by scheme, host, port, path and query: by what is sent.</param>
    /// <param name="tenant">The application's own customer; null is another one than the empty text.</param>
    /// <param name="body">The digest of the body (<see cref="BodyDigest"/>); null when the body can be read only once and is not known.</param>
    internal RequestFingerprint(HttpMethod method, Uri? uri, string? tenant, byte[]? body)
    {
        // Methods that differ in case only are one to HttpMethod, and to the wire those that it knows.
        _method = method.Method.ToUpperInvariant();
        _uri = uri is { IsAbsoluteUri: true } ? new HttpAuthority(uri).ToString() + uri.PathAndQuery : uri?.OriginalString ?? "";
        _tenant = tenant;
        _body = body;
    }

    /// <summary>The body is part of it.</summary>
    internal bool HasBody => _body is not null;

    /// <summary>The same for the same data, on every machine and in every version.</summary>
    internal string Hash
    {
        get
        {
            var data = new ArrayBufferWriter<byte>();
            Append(data, Format);
            Append(data, _method);
            Append(data, _uri);
            Append(data, _tenant);
            data.Write(_body);
            return Base64Url.EncodeToString(SHA256.HashData(data.WrittenSpan));
        }
    }

    /// <summary>The idempotency key that stands for the data.</summary>
    /// <exception cref="InvalidOperationException">The body is not known.</exception>
    internal string ToKey() => _body is not null ? Hash : throw new InvalidOperationException("A request whose body is not known has no key of its own.");

    /// <summary>What of the request is another than in <paramref name="other"/>, such as "URI and body"; null when there is nothing, or nothing that can be told.</summary>
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

    /// <summary>Writes length and text, so that no two lists of texts are written alike. Not as UTF-8, which is the same for all texts that are not valid Unicode.</summary>
    internal static void Append(ArrayBufferWriter<byte> data, string? text)
    {
        var span = data.GetSpan(sizeof(int) + (text?.Length ?? 0) * sizeof(char));
        BinaryPrimitives.WriteInt32BigEndian(span, text?.Length ?? -1);
        int length = sizeof(int);
        foreach (char c in text ?? "")
        {
            BinaryPrimitives.WriteUInt16BigEndian(span[length..], c);
            length += sizeof(char);
        }

        data.Advance(length);
    }
}
