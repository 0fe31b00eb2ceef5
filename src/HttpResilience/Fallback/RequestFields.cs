using System.Buffers.Binary;
using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;

namespace HttpResilience;

/// <summary>
/// All that tells one request from another: method, URI and every header field, but for those that belong to the one message and say nothing about who asks.
/// More than RFC 9111 asks for (only <c>Vary</c> and, for shared caches, credentials): many an API forgets <c>Vary</c>, and a field of its own may say who the user is.
/// </summary>
internal sealed class RequestFields
{
    // Of the connection or the one hop (RFC 9110 §7.6.1), what is asked of caches, and what numbers or traces messages.
    private static readonly FrozenSet<string> OfOneMessage = FrozenSet.ToFrozenSet(
        ["Cache-Control", "Connection", "Content-Length", "Date", "Expect", "Keep-Alive", "Pragma", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade",
            "traceparent", "tracestate", "baggage", "Correlation-Context", "b3", "Idempotency-Key"], StringComparer.OrdinalIgnoreCase);

    private static readonly string[] NumberOfOneMessage = ["request-id", "requestid", "correlation-id", "correlationid", "trace-id", "traceid", "span-id", "spanid"];

    private readonly SortedSet<string> _parts = new(StringComparer.Ordinal);

    /// <summary>The field may differ from message to message although they ask for the same on behalf of the same.</summary>
    internal static bool IsOfOneMessage(string field) =>
        OfOneMessage.Contains(field) || field.StartsWith("x-b3-", StringComparison.OrdinalIgnoreCase)
        || Array.Exists(NumberOfOneMessage, number => field.EndsWith(number, StringComparison.OrdinalIgnoreCase));

    /// <summary>Adds a request as it stands.</summary>
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

    /// <summary>Several values of a name are as good as one with commas (RFC 9110 §5.3); two names that differ in case are one.</summary>
    internal void AddField(string name, string value) => _parts.Add($"field {name.ToLowerInvariant()}:{value}");

    /// <summary>The requests that have been added, and whose they are, as a hash: nothing of it can be read off it.</summary>
    internal string HashFor(string? tenant)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, tenant is null ? "no tenant" : $"tenant {tenant}");
        foreach (string part in _parts)
            Append(hash, part);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>What is read and written under a URI, whoever asks and however, as a hash: a URI may hold secrets.</summary>
    internal static string ResourceOf(Uri uri) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{new HttpAuthority(uri)}{uri.PathAndQuery}")));

    private static void Append(IncrementalHash hash, string text)
    {
        Span<byte> length = stackalloc byte[sizeof(int)];
        // UTF-16 as it stands: halves of surrogate pairs would all become the same in UTF-8.
        var bytes = System.Runtime.InteropServices.MemoryMarshal.AsBytes(text.AsSpan());
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        hash.AppendData(length);
        hash.AppendData(bytes);
    }
}
