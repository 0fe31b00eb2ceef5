using System.Buffers.Binary;
using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;

namespace HttpResilience;

/// <summary>
/// The fields that distinguish requests: method, URI and all header fields except those of a single message. This is more than RFC 9111
/// requires (<c>Vary</c> and, for shared caches, credentials), as some APIs omit <c>Vary</c> and a custom field may identify the user.
/// </summary>
internal sealed class RequestFields
{
    // Fields of the connection or one hop (RFC 9110 §7.6.1), cache directives, and fields that number or trace messages.
    private static readonly FrozenSet<string> OfOneMessage = FrozenSet.ToFrozenSet(
        [
            "Cache-Control", "Connection", "Content-Length", "Date", "Expect", "Keep-Alive", "Pragma", "Proxy-Connection", "TE", "Trailer",
            "Transfer-Encoding", "Upgrade", "traceparent", "tracestate", "baggage", "Correlation-Context", "b3", "Idempotency-Key",
        ],
        StringComparer.OrdinalIgnoreCase);

    private static readonly string[] NumberOfOneMessage =
        ["request-id", "requestid", "correlation-id", "correlationid", "trace-id", "traceid", "span-id", "spanid"];

    private readonly SortedSet<string> _parts = new(StringComparer.Ordinal);

    /// <summary>Whether the field may differ between equal requests of the same caller.</summary>
    internal static bool IsOfOneMessage(string field) =>
        OfOneMessage.Contains(field) || field.StartsWith("x-b3-", StringComparison.OrdinalIgnoreCase)
        || Array.Exists(NumberOfOneMessage, number => field.EndsWith(number, StringComparison.OrdinalIgnoreCase));

    /// <summary>Adds a request.</summary>
    internal void Add(HttpMethod method, Uri? uri, IEnumerable<KeyValuePair<string, System.Net.Http.Headers.HeaderStringValues>> headers)
    {
        _parts.Add($"method {method.Method}");
        AddUri(uri);
        foreach (var (name, values) in headers)
        {
            if (!IsOfOneMessage(name))
                AddField(name, values.ToString());
        }
    }

    internal void AddUri(Uri? uri) => _parts.Add($"uri {uri?.AbsoluteUri}");

    /// <summary>Adds a field. Several values equal one value with commas (RFC 9110 §5.3); names are case-insensitive.</summary>
    internal void AddField(string name, string value) => _parts.Add($"field {name.ToLowerInvariant()}:{value}");

    /// <summary>A hash of the added requests and the tenant, which does not reveal them.</summary>
    internal string HashFor(string? tenant)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, tenant is null ? "no tenant" : $"tenant {tenant}");
        foreach (string part in _parts)
            Append(hash, part);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>A hash of the URI, which may hold secrets; the same for all callers and methods.</summary>
    internal static string ResourceOf(Uri uri) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{new HttpAuthority(uri)}{uri.PathAndQuery}")));

    private static void Append(IncrementalHash hash, string text)
    {
        Span<byte> length = stackalloc byte[sizeof(int)];
        // Raw UTF-16: in UTF-8 all unpaired surrogates would be equal.
        var bytes = System.Runtime.InteropServices.MemoryMarshal.AsBytes(text.AsSpan());
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        hash.AppendData(length);
        hash.AppendData(bytes);
    }
}
