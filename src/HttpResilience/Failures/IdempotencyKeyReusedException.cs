namespace HttpResilience;

/// <summary>
/// A second, different request was about to be sent under an idempotency key that belongs to another request; nothing was sent. An API that
/// honours the key would have returned the result of the first request and ignored the second. It is an <see cref="HttpRequestException"/>,
/// so code that handles a failed call handles it too.
/// </summary>
public sealed class IdempotencyKeyReusedException : HttpRequestException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="idempotencyKey">The key.</param>
    /// <param name="difference">The part of the request that differs, such as <c>body</c> or <c>URI and body</c>.</param>
    public IdempotencyKeyReusedException(string idempotencyKey, string difference)
        : base($"The idempotency key '{idempotencyKey}' belongs to a request with a different {difference}; nothing was sent. "
            + "Use a new key for a new operation.")
    {
        IdempotencyKey = idempotencyKey;
        Difference = difference;
    }

    /// <summary>The key.</summary>
    public string IdempotencyKey { get; }

    /// <summary>The part of the request that differs, such as <c>body</c> or <c>URI and body</c>.</summary>
    public string Difference { get; }
}
