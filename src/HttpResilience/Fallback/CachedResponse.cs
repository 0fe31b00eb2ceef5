namespace HttpResilience;

/// <summary>A cached response with the time of its arrival by the monotonic clock.</summary>
/// <param name="ReceivedAt">The timestamp of its arrival.</param>
internal sealed record CachedResponse(FallbackResponse Stored, long ReceivedAt)
{
    private static readonly TimeSpan StoreInterval = TimeSpan.FromMinutes(1);

    /// <summary>Its size in bytes, computed once.</summary>
    internal long Size { get; } = Stored.Size;

    /// <summary>The arrival of the copy in the durable store.</summary>
    internal long StoredAt { get; private set; } = ReceivedAt;

    internal ResponseFields Fields => new(Stored.Response.Headers);

    /// <summary>A response from the durable store, possibly of another process.</summary>
    internal static CachedResponse From(FallbackResponse stored, TimeProvider time)
    {
        var since = Freshness.Within(time.GetUtcNow() - stored.ReceivedAt);
        return new(stored with { InitialAge = Freshness.Within(stored.InitialAge) }, time.GetTimestamp() - time.ToTicks(since));
    }

    /// <summary>
    /// Whether the durable store has the same response, not much older: frequent reads of an unchanged resource cause few writes.
    /// </summary>
    internal bool IsStoredBy(CachedResponse before, TimeProvider time)
    {
        if (before.Stored.Response.StatusCode != Stored.Response.StatusCode
            || !before.Stored.Response.Body.Span.SequenceEqual(Stored.Response.Body.Span)
            || time.GetElapsedTime(before.StoredAt, ReceivedAt) >= StoreInterval)
            return false;
        StoredAt = before.StoredAt;
        return true;
    }

    /// <summary>Its age (RFC 9111 §4.2.3).</summary>
    internal TimeSpan AgeAt(long now, TimeProvider time) => Stored.InitialAge + time.GetElapsedTime(ReceivedAt, now);
}
