namespace HttpResilience;

/// <summary>
/// An earlier call with this idempotency key was interrupted and its result is unknown; nothing was sent, because the API is not known to
/// honour the key and the operation might run twice. It is an <see cref="HttpRequestException"/>, so code that handles a failed call
/// handles it too.
/// </summary>
public sealed class IdempotencyKeyInDoubtException : HttpRequestException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="idempotencyKey">The key.</param>
    /// <param name="firstSentAt">When the key was first used.</param>
    public IdempotencyKeyInDoubtException(string idempotencyKey, DateTimeOffset firstSentAt)
        : base($"The call that used the idempotency key '{idempotencyKey}' at {firstSentAt:u} was interrupted and its result is unknown; "
            + "nothing was sent, because the operation might run twice. Check at the API whether the call was processed. "
            + "Register an IReconciler to automate that check; if the API honours keys, set Retry:UnsafeMethods and "
            + "Idempotency:KeyLifetime.")
    {
        IdempotencyKey = idempotencyKey;
        FirstSentAt = firstSentAt;
    }

    /// <summary>The key.</summary>
    public string IdempotencyKey { get; }

    /// <summary>When the key was first used.</summary>
    public DateTimeOffset FirstSentAt { get; }
}
