namespace HttpResilience;

/// <summary>
/// A call with this idempotency key was sent before and nobody knows what became of it, because the program or the connection ended first; the API is not
/// known to recognise the key, so sending it again might do it twice. Nothing was sent. An <see cref="HttpRequestException"/>, so what already handles a
/// failed call handles this.
/// </summary>
public sealed class IdempotencyKeyInDoubtException : HttpRequestException
{
    /// <summary>Makes the exception.</summary>
    /// <param name="idempotencyKey">The key.</param>
    /// <param name="firstSentAt">When the key was first used.</param>
    public IdempotencyKeyInDoubtException(string idempotencyKey, DateTimeOffset firstSentAt)
        : base($"A call with the idempotency key '{idempotencyKey}' was begun at {firstSentAt:u}, and what became of it is not known; nothing was sent, as it might be done twice. "
            + "Check at the API whether it was processed. Register an IReconciler to have that looked up; if the API honours keys, say so (Retry:UnsafeMethods, Idempotency:KeyLifetime).")
    {
        IdempotencyKey = idempotencyKey;
        FirstSentAt = firstSentAt;
    }

    /// <summary>The key.</summary>
    public string IdempotencyKey { get; }

    /// <summary>When the key was first used.</summary>
    public DateTimeOffset FirstSentAt { get; }
}
