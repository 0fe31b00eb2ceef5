using System.Text;

namespace HttpResilience.Testing;

/// <summary>A request as it went out: one attempt, not one call.</summary>
public sealed class SentRequest
{
    internal SentRequest(
        Arrival arrival, HttpMethod method, Uri uri, IReadOnlyDictionary<string, string> headers, ReadOnlyMemory<byte> body, HttpCall? call)
    {
        Method = method;
        Uri = uri;
        Headers = headers;
        Body = body;
        SentAt = arrival.At;
        SentAfter = arrival.After;
        Call = call;
    }

    /// <summary>The method.</summary>
    public HttpMethod Method { get; }

    /// <summary>Where it went to, absolute.</summary>
    public Uri Uri { get; }

    /// <summary>
    /// All header fields, those of the body included. Names are case-insensitive, values of one name are joined with <c>", "</c>.
    /// </summary>
    public IReadOnlyDictionary<string, string> Headers { get; }

    /// <summary>The body as it was sent; empty when there was none, or when the outcome did not read it.</summary>
    public ReadOnlyMemory<byte> Body { get; }

    /// <summary><see cref="Body"/> read as UTF-8.</summary>
    public string Text => Encoding.UTF8.GetString(Body.Span);

    /// <summary>The value of <c>Idempotency-Key</c>; null when there was none.</summary>
    public string? IdempotencyKey => Headers.GetValueOrDefault("Idempotency-Key");

    /// <summary>When it came in, by the script's clock.</summary>
    public DateTimeOffset SentAt { get; }

    /// <summary>How long after the script was made it came in, by the monotonic part of the script's clock.</summary>
    public TimeSpan SentAfter { get; }

    /// <summary>
    /// The call that this is an attempt of, for typed clients that do not hand out the response. Null at a <see cref="FaultServer"/>, which
    /// sees only what is on the wire, and for a client without the chain.
    /// </summary>
    public HttpCall? Call { get; }

    /// <inheritdoc/>
    public override string ToString() => $"{Method} {Uri} after {SentAfter}";
}
