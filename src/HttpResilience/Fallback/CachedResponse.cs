namespace HttpResilience;

/// <summary>A kept response, and when it came by the clock of this process, which nobody sets.</summary>
/// <param name="ReceivedAt">The timestamp.</param>
internal sealed record CachedResponse(FallbackResponse Stored, long ReceivedAt)
{
    private static readonly TimeSpan ArchivedAnew = TimeSpan.FromMinutes(1);

    /// <summary>What it counts for. Looked at once.</summary>
    internal long Size { get; } = Stored.Size;

    /// <summary>The timestamp of what the durable store has of it.</summary>
    internal long ArchivedAt { get; private set; } = ReceivedAt;

    internal ResponseFields Fields => new(Stored.Response.Headers);

    /// <summary>One that another process may have kept.</summary>
    internal static CachedResponse From(FallbackResponse stored, TimeProvider time)
    {
        var since = time.GetUtcNow() - stored.ReceivedAt;
        return new(stored, time.GetTimestamp() - (since > TimeSpan.Zero ? time.ToTicks(since) : 0));
    }

    /// <summary>
    /// Whether the durable store has as good as this already: the same, not much older. Who asks every second need not wear out a disk.
    /// </summary>
    internal bool IsArchivedBy(CachedResponse before, TimeProvider time)
    {
        if (before.Stored.Response.StatusCode != Stored.Response.StatusCode || !before.Stored.Response.Body.Span.SequenceEqual(Stored.Response.Body.Span)
            || time.GetElapsedTime(before.ArchivedAt, ReceivedAt) >= ArchivedAnew)
            return false;
        ArchivedAt = before.ArchivedAt;
        return true;
    }

    /// <summary>How old it is (RFC 9111 §4.2.3).</summary>
    internal TimeSpan AgeAt(long now, TimeProvider time) => Stored.InitialAge + time.GetElapsedTime(ReceivedAt, now);
}
