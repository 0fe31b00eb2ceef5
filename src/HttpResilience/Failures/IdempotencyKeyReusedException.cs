namespace HttpResilience;

/// <summary>
/// An idempotency key that stands for one request was about to go out with another: an API that honours the key would have answered with what became of the
/// first, and done nothing. Nothing was sent. An <see cref="HttpRequestException"/>, so what already handles a failed call handles this.
/// </summary>
public sealed class IdempotencyKeyReusedException : HttpRequestException
{
    /// <summary>Makes the exception.</summary>
    /// <param name="idempotencyKey">The key.</param>
    /// <param name="difference">What the request has that is another, such as <c>body</c> or <c>URI and body</c>.</param>
    public IdempotencyKeyReusedException(string idempotencyKey, string difference)
        : base($"The idempotency key '{idempotencyKey}' stands for a request with another {difference}; nothing was sent. A new operation needs a key of its own.")
    {
        IdempotencyKey = idempotencyKey;
        Difference = difference;
    }

    /// <summary>The key.</summary>
    public string IdempotencyKey { get; }

    /// <summary>What the request has that is another, such as <c>body</c> or <c>URI and body</c>.</summary>
    public string Difference { get; }
}
