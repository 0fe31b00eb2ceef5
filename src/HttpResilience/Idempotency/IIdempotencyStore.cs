namespace HttpResilience.Storage;

/// <summary>
/// Stores keyed calls and their responses (<c>Idempotency:RememberFor</c>). A change is durable when the task of its method completes. All
/// members may be called from many threads, processes and, where the store can be shared, machines at once. Times are truncated to
/// microseconds.
/// </summary>
/// <exception cref="HttpResilienceStorageException">
/// Thrown by every member when the store is unreachable, full, or of an unknown format.
/// </exception>
public interface IIdempotencyStore
{
    /// <summary>
    /// Begins a call, or returns the stored call of its key. An unknown or expired key is leased to the caller until
    /// <see cref="RememberedRequest.LeaseUntil"/>; so is a key whose owner's lease has expired, with an unknown outcome
    /// (<see cref="RememberedCall.IsInDoubt"/>). The owner renews its lease by calling again, or releases the key with a lease that ends
    /// now. A key that was first used with another fingerprint, and has not expired, stays unchanged.
    /// </summary>
    Task<RememberedCall> BeginAsync(RememberedRequest request, CancellationToken cancellationToken);

    /// <summary>Stores the response of a call that the owner has begun, which also resolves a doubt.</summary>
    /// <returns>False when the owner no longer holds the key: nothing was changed.</returns>
    Task<bool> CompleteAsync(
        RememberedRequest request, RememberedResponse response, DateTimeOffset expiresAt, CancellationToken cancellationToken);

    /// <summary>Deletes a call that the owner has begun and that was certainly not processed.</summary>
    /// <returns>False when the owner no longer holds the key, or the call has completed: nothing was changed.</returns>
    Task<bool> ForgetAsync(RememberedRequest request, CancellationToken cancellationToken);

    /// <summary>Deletes expired calls.</summary>
    /// <returns>The number of deleted calls.</returns>
    Task<int> PurgeAsync(DateTimeOffset now, CancellationToken cancellationToken);
}

/// <summary>A keyed request.</summary>
/// <param name="ClientName">The client. Each client has its own keys.</param>
/// <param name="Key">The idempotency key.</param>
/// <param name="Fingerprint">A hash of the request: the same key with another fingerprint is an error.</param>
/// <param name="Owner">The id of this call.</param>
/// <param name="Now">The current time.</param>
/// <param name="LeaseUntil">The end of the lease, unless it is renewed.</param>
public sealed record RememberedRequest(
    string ClientName, string Key, string Fingerprint, Guid Owner, DateTimeOffset Now, DateTimeOffset LeaseUntil)
{
    /// <summary>The time when the call expires even if it never completes; null when it does not expire.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }
}

/// <summary>The stored call of a key.</summary>
/// <param name="Fingerprint">The fingerprint of the first request with the key.</param>
/// <param name="Owner">The call that holds the key: the caller, or another call in progress.</param>
/// <param name="BegunAt">The time of the first request with the key: the API may know the key since then.</param>
/// <param name="LeaseUntil">The end of the owner's lease.</param>
/// <param name="IsInDoubt">The caller now holds the key, but an earlier call with it has an unknown outcome.</param>
/// <param name="Response">The response; null when the call has not completed.</param>
public sealed record RememberedCall(
    string Fingerprint, Guid Owner, DateTimeOffset BegunAt, DateTimeOffset LeaseUntil, bool IsInDoubt, RememberedResponse? Response);

/// <summary>A stored response.</summary>
/// <param name="StatusCode">Its status.</param>
/// <param name="ReasonPhrase">Its reason phrase; null when it had none.</param>
/// <param name="Headers">The header fields of the response and its content, without cookies and secrets.</param>
/// <param name="Body">Its body.</param>
public sealed record RememberedResponse(
    int StatusCode, string? ReasonPhrase, IReadOnlyList<KeyValuePair<string, string>> Headers, ReadOnlyMemory<byte> Body);
