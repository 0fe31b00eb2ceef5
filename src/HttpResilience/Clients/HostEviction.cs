namespace HttpResilience;

/// <summary>
/// Chooses the hosts to evict: by their standing, those with a closed circuit first, and within one the least recently used. An addition
/// looks at a few hosts only, in the order in which they were queued; one that was used since then is queued again (second chance).
/// </summary>
/// <remarks>
/// The queue of a host shows how it stood when it was last looked at. Those of a later standing are evicted when the queues before are
/// empty. A host that has recovered in such a queue is found by a sweep, which reaches all of them before they are twice the limit.
/// </remarks>
internal sealed class HostEviction(HostDirectory hosts)
{
    private const int MaxLooks = 16;
    // All queues together fewer than MaxLooks: the first queue gets shorter even while others recover and fail again.
    private const int MaxSwept = 4;
    // The order is exact to a sixteenth of the limit.
    private const int MinSegments = 16;
    private const int MaxSegmentSize = 64;

    private readonly Lock _gate = new();
    private readonly HostQueue[] _queues = [new(), new(), new(), new()];

    /// <summary>Queues an added host, and evicts hosts above the limit.</summary>
    internal void Add(HostState added, int limit, long now)
    {
        lock (_gate)
        {
            if (hosts.Count > limit)
            {
                Sweep(limit, now);
                // A tenth less than twice the limit is left for additions that find none to evict among those they look at.
                _ = Evict(HostStanding.Closed, limit, limit, now) && Evict(HostStanding.Lapsed, limit, limit, now)
                    && Evict(HostStanding.Needed, 2L * limit - Math.Max(1, limit / 10), limit, now);
            }

            Queue(added, HostStanding.Closed, limit, now);
        }
    }

    private void Sweep(int limit, long now)
    {
        for (var standing = HostStanding.Lapsed; standing <= HostStanding.Held; standing++)
        {
            var queue = Of(standing);
            for (int looks = Math.Min(MaxSwept, queue.Count); looks > 0; looks--)
            {
                var host = queue.Sweep()!;
                var present = host.StandingAt(now);
                if (present == standing)
                    continue;
                queue.RemoveSwept();
                // At the end of the queue it would outlast hosts that were used later.
                if (present is HostStanding.Closed && host.LastUsed < Of(present).OldestAt && hosts.Count > limit)
                    hosts.Remove(host);
                else
                    Queue(host, present, limit, now);
            }
        }
    }

    /// <returns>Whether none of the standing is left.</returns>
    private bool Evict(HostStanding standing, long above, int limit, long now)
    {
        var queue = Of(standing);
        // The least recently used of those looked at.
        HostState? oldest = null;
        for (int looks = Math.Min(MaxLooks, queue.Count); looks > 0 && hosts.Count > above; looks--)
        {
            var host = queue.Take(out long queuedAt);
            bool isUsed = host.LastUsed > queuedAt;
            var present = host.StandingAt(now);
            if (present < standing)
            {
                hosts.Remove(host);
                continue;
            }

            if (present > standing)
            {
                Queue(host, present, limit, now);
                continue;
            }

            if (oldest is null || host.LastUsed < oldest.LastUsed)
                (oldest, host) = (host, oldest);
            if (host is not null)
                Queue(host, standing, limit, now);
            if (isUsed)
                continue;
            hosts.Remove(oldest);
            oldest = null;
        }

        if (oldest is not null && hosts.Count > above)
            hosts.Remove(oldest);
        else if (oldest is not null)
            Queue(oldest, standing, limit, now);
        return queue.Count == 0;
    }

    private void Queue(HostState host, HostStanding standing, int limit, long now) =>
        Of(standing).Add(host, now, Math.Clamp(limit / MinSegments, 1, MaxSegmentSize));

    private HostQueue Of(HostStanding standing) => _queues[(int)standing];
}
