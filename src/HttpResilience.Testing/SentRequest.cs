using System.Text;

namespace HttpResilience.Testing;

/// <summary>A request as it was sent: one attempt, not one call.</summary>
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

    /// <summary>The absolute URI.</summary>
    public Uri Uri { get; }

    /// <summary>
    /// All header fields, including those of the body. Names are case-insensitive; values of one name are joined with <c>", "</c>.
    /// </summary>
    public IReadOnlyDictionary<string, string> Headers { get; }

    /// <summary>The body as it was sent; empty when there is none, or when the outcome did not read it.</summary>
    public ReadOnlyMemory<byte> Body { get; }

    /// <summary><see cref="Body"/> decoded as UTF-8.</summary>
    public string Text => Encoding.UTF8.GetString(Body.Span);

    /// <summary>The value of <c>Idempotency-Key</c>; null without one.</summary>
    public string? IdempotencyKey => Headers.GetValueOrDefault("Idempotency-Key");

    /// <summary>The time of arrival on the script's clock.</summary>
    public DateTimeOffset SentAt { get; }

    /// <summary>The time between the creation of the script and the arrival, by the monotonic timestamps of the script's clock.</summary>
    public TimeSpan SentAfter { get; }

    /// <summary>
    /// The call of which this request is an attempt, for typed clients that do not expose the response. Null at a
    /// <see cref="FaultServer"/>, which sees only the request on the wire, and for a client without the chain.
    /// </summary>
    public HttpCall? Call { get; }

    /// <inheritdoc/>
    public override string ToString() => $"{Method} {Uri} after {SentAfter}";
}
