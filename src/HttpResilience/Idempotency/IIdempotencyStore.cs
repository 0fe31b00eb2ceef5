namespace HttpResilience.Storage;

/// <summary>
/// Remembers keyed calls and their responses (<c>Idempotency:RememberFor</c>). What a method has done is durable when its task completes. All members may be
/// called from many threads, processes and, where the store can be shared, machines at once. Times are kept in whole microseconds.
/// </summary>
/// <exception cref="HttpResilienceStorageException">Every member throws it when the store cannot be reached, is full, or is not one of ours.</exception>
public interface IIdempotencyStore
{
    /// <summary>
    /// Begins a call, or tells what is known of one with its key. A key that is not known, or that has expired, becomes the caller's until
    /// <see cref="RememberedRequest.LeaseUntil"/>; so does one whose owner's lease has ended, of which nobody knows what became (<see cref="RememberedCall.IsInDoubt"/>).
    /// The owner who asks again renews its lease, or gives the call up with one that ends now. A key that was first seen with another fingerprint, and has not expired, is left as it is.
    /// </summary>
    Task<RememberedCall> BeginAsync(RememberedRequest request, CancellationToken cancellationToken);

    /// <summary>Keeps the response of a call that the owner has begun, and ends its doubt.</summary>
    /// <returns>False when the key is no longer the owner's: nothing was done.</returns>
    Task<bool> CompleteAsync(RememberedRequest request, RememberedResponse response, DateTimeOffset expiresAt, CancellationToken cancellationToken);

    /// <summary>Forgets a call that the owner has begun and that has come to nothing that is worth remembering.</summary>
    /// <returns>False when the key is no longer the owner's, or the call has completed: nothing was done.</returns>
    Task<bool> ForgetAsync(RememberedRequest request, CancellationToken cancellationToken);

    /// <summary>Deletes what has expired.</summary>
    /// <returns>How many calls were forgotten.</returns>
    Task<int> PurgeAsync(DateTimeOffset now, CancellationToken cancellationToken);
}

/// <summary>A keyed request.</summary>
/// <param name="ClientName">The client. Keys of different clients have nothing to do with each other.</param>
/// <param name="Key">The idempotency key.</param>
/// <param name="Fingerprint">A hash of what the request asks for: the same key with another one is a mistake.</param>
/// <param name="Owner">Who has begun it: made for this one call.</param>
/// <param name="Now">The time now.</param>
/// <param name="LeaseUntil">When the call is given up for lost if nothing has been heard of it.</param>
public sealed record RememberedRequest(string ClientName, string Key, string Fingerprint, Guid Owner, DateTimeOffset Now, DateTimeOffset LeaseUntil)
{
    /// <summary>When the call is forgotten even if nothing is ever heard of it, so that what nobody asks for again is not kept for good; null to keep it.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }
}

/// <summary>What the store knows of a key.</summary>
/// <param name="Fingerprint">What the request asked for that the key was first seen with.</param>
/// <param name="Owner">Whose the call is: the one that has just asked, or another that is still at it.</param>
/// <param name="BegunAt">When the key was first seen: from then on the API may have known it.</param>
/// <param name="LeaseUntil">When the owner is given up for lost.</param>
/// <param name="IsInDoubt">The call is now of the one that has just asked, but another had begun it before, and nobody knows what became of that.</param>
/// <param name="Response">The response; null when the call has not completed.</param>
public sealed record RememberedCall(string Fingerprint, Guid Owner, DateTimeOffset BegunAt, DateTimeOffset LeaseUntil, bool IsInDoubt, RememberedResponse? Response);

/// <summary>A response that is remembered.</summary>
/// <param name="StatusCode">Its status.</param>
/// <param name="ReasonPhrase">Its reason phrase; null when it had none.</param>
/// <param name="Headers">The header fields of the response and its content, without cookies and secrets.</param>
/// <param name="Body">Its body.</param>
public sealed record RememberedResponse(int StatusCode, string? ReasonPhrase, IReadOnlyList<KeyValuePair<string, string>> Headers, ReadOnlyMemory<byte> Body);
