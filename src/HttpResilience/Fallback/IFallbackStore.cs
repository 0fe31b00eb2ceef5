namespace HttpResilience.Storage;

/// <summary>
/// Keeps the last good responses of reads (<c>Fallback</c>), so that they outlive the process. All members may be called from many threads, processes and, where the
/// store can be shared, machines at once. Times are kept in whole microseconds.
/// </summary>
/// <exception cref="HttpResilienceStorageException">Every member throws it when the store cannot be reached, is full, or is not one of ours.</exception>
public interface IFallbackStore
{
    /// <summary>
    /// Keeps responses, each in place of the one that was kept for the same resource and variant, unless that was received later; and forgets those of the client
    /// that were received first until all that are left take at most <paramref name="maxBytes"/> (<see cref="FallbackResponse.Size"/>).
    /// </summary>
    Task SaveAsync(string clientName, IReadOnlyList<FallbackResponse> responses, long maxBytes, CancellationToken cancellationToken);

    /// <summary>Finds the response that is kept for a request.</summary>
    /// <returns>Null when there is none.</returns>
    Task<FallbackResponse?> FindAsync(string clientName, string resource, string variant, CancellationToken cancellationToken);

    /// <summary>Forgets what is kept of a resource.</summary>
    /// <param name="variant">The one variant that is forgotten; null for all.</param>
    /// <returns>How many responses were forgotten.</returns>
    Task<int> RemoveAsync(string clientName, string resource, string? variant, CancellationToken cancellationToken);

    /// <summary>Deletes what has expired.</summary>
    /// <returns>How many responses were forgotten.</returns>
    Task<int> PurgeAsync(DateTimeOffset now, CancellationToken cancellationToken);
}

/// <summary>A good response, kept for the time when there is none to be had.</summary>
/// <param name="Resource">The URI that it was asked for at, as a hash.</param>
/// <param name="Variant">Who asked for it, and how: method, tenant and header fields, credentials among them, as a hash. No other request is answered with it.</param>
/// <param name="ReceivedAt">When it came.</param>
/// <param name="InitialAge">How old it was then (RFC 9111 §4.2.3).</param>
/// <param name="ExpiresAt">When it is of no use any more.</param>
/// <param name="Response">The response.</param>
public sealed record FallbackResponse(
    string Resource, string Variant, DateTimeOffset ReceivedAt, TimeSpan InitialAge, DateTimeOffset ExpiresAt, RememberedResponse Response)
{
    // Two hashes, times, and what every store and every dictionary adds.
    private const int FixedBytes = 1024;
    private const int FixedBytesPerField = 100;

    /// <summary>What it counts for, in bytes: its body and its header fields, and 1 KiB for the rest.</summary>
    public long Size => FixedBytes + Response.Body.Length + Response.Headers.Sum(h => FixedBytesPerField + 2L * (h.Key.Length + h.Value.Length));
}
