namespace HttpResilience.Storage;

/// <summary>
/// Stores the last good responses of reads (<c>Fallback</c>), so that they survive a restart. All members may be called from many threads,
/// processes and, where the store can be shared, machines at once. Times are truncated to microseconds.
/// </summary>
/// <exception cref="HttpResilienceStorageException">
/// Thrown by every member when the store is unreachable, full, or of an unknown format.
/// </exception>
public interface IFallbackStore
{
    /// <summary>
    /// Stores responses. Each replaces the one of the same resource and variant, unless that one was received later. Then deletes the
    /// oldest responses of the client until the rest takes at most <paramref name="maxBytes"/> (<see cref="FallbackResponse.Size"/>).
    /// </summary>
    Task SaveAsync(string clientName, IReadOnlyList<FallbackResponse> responses, long maxBytes, CancellationToken cancellationToken);

    /// <summary>Finds the response to a request.</summary>
    /// <returns>Null when there is none.</returns>
    Task<FallbackResponse?> FindAsync(string clientName, string resource, string variant, CancellationToken cancellationToken);

    /// <summary>Deletes the responses of a resource.</summary>
    /// <param name="variant">The variant to delete; null for all.</param>
    /// <returns>The number of deleted responses.</returns>
    Task<int> RemoveAsync(string clientName, string resource, string? variant, CancellationToken cancellationToken);

    /// <summary>Deletes expired responses.</summary>
    /// <returns>The number of deleted responses.</returns>
    Task<int> PurgeAsync(DateTimeOffset now, CancellationToken cancellationToken);
}

/// <summary>A good response, stored as the answer to later reads that fail.</summary>
/// <param name="Resource">A hash of the URI.</param>
/// <param name="Variant">
/// A hash of method, tenant and header fields, credentials included. No other request is answered with the response.
/// </param>
/// <param name="ReceivedAt">The time of its arrival.</param>
/// <param name="InitialAge">Its age then (RFC 9111 §4.2.3).</param>
/// <param name="ExpiresAt">The end of its use.</param>
/// <param name="Response">The response.</param>
public sealed record FallbackResponse(
    string Resource, string Variant, DateTimeOffset ReceivedAt, TimeSpan InitialAge, DateTimeOffset ExpiresAt, RememberedResponse Response)
{
    // Two hashes, times, and the overhead of stores and dictionaries.
    private const int FixedBytes = 1024;
    private const int FixedBytesPerField = 100;

    /// <summary>Its size in bytes: its body, its header fields, and 1 KiB for the rest.</summary>
    public long Size =>
        FixedBytes + Response.Body.Length + Response.Headers.Sum(h => FixedBytesPerField + 2L * (h.Key.Length + h.Value.Length));
}
