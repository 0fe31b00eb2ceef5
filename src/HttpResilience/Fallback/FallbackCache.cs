namespace HttpResilience;

/// <summary>The in-memory response cache of a client. Evicts the least recently used response.</summary>
internal sealed class FallbackCache
{
    private const int MaxInvalidations = 4096;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Dictionary<string, LinkedListNode<CachedResponse>>> _resources = new(StringComparer.Ordinal);
    private readonly LinkedList<CachedResponse> _byUse = [];
    private readonly Dictionary<string, long> _invalidated = new(StringComparer.Ordinal);
    private readonly Queue<(string Resource, long At)> _invalidations = new();
    private long _nothingBefore = long.MinValue;
    private long _bytes;

    /// <summary>The cache of a client. It outlives the client's handlers, and is cleared when a reload switches the stage off.</summary>
    internal static FallbackCache Of(Client client) => client.GetOrAdd(() =>
    {
        var cache = new FallbackCache();
        client.PolicyChanged += () =>
        {
            if (!client.Policy.ClientHasFallback)
                cache.Clear();
        };
        return cache;
    });

    internal long Bytes
    {
        get
        {
            lock (_gate)
                return _bytes;
        }
    }

    internal int Count
    {
        get
        {
            lock (_gate)
                return _byUse.Count;
        }
    }

    /// <summary>Stores a response.</summary>
    /// <param name="askedAt">The timestamp of the request: an invalidation since then makes the response obsolete.</param>
    /// <returns>False when it is not stored.</returns>
    internal bool Put(CachedResponse kept, long askedAt, long maxBytes)
    {
        var (resource, variant) = (kept.Stored.Resource, kept.Stored.Variant);
        lock (_gate)
        {
            if (kept.Size > maxBytes || askedAt <= _nothingBefore
                || (_invalidated.TryGetValue(resource, out long invalidatedAt) && askedAt <= invalidatedAt))
                return false;
            if (Node(resource, variant) is { } known)
            {
                if (known.Value.ReceivedAt > kept.ReceivedAt)
                    return false;
                Drop(known);
            }

            if (!_resources.TryGetValue(resource, out var variants))
                _resources.Add(resource, variants = new(StringComparer.Ordinal));
            variants.Add(variant, _byUse.AddFirst(kept));
            _bytes += kept.Size;
            while (_bytes > maxBytes)
                Drop(_byUse.Last!);
            return true;
        }
    }

    internal CachedResponse? Find(string resource, string variant)
    {
        lock (_gate)
        {
            if (Node(resource, variant) is not { } node)
                return null;
            _byUse.Remove(node);
            _byUse.AddFirst(node);
            return node.Value;
        }
    }

    internal void Remove(string resource, string variant)
    {
        lock (_gate)
        {
            if (Node(resource, variant) is { } node)
                Drop(node);
        }
    }

    /// <summary>Removes all responses of a resource, and rejects responses to requests in flight.</summary>
    internal void Invalidate(string resource, long now)
    {
        lock (_gate)
        {
            if (_resources.TryGetValue(resource, out var variants))
            {
                foreach (var node in variants.Values.ToList())
                    Drop(node);
            }

            _invalidated[resource] = now;
            _invalidations.Enqueue((resource, now));
            if (_invalidations.Count > MaxInvalidations)
                ForgetOldestInvalidation();
        }
    }

    internal void Clear()
    {
        lock (_gate)
        {
            _resources.Clear();
            _byUse.Clear();
            _bytes = 0;
        }
    }

    // Without its record, responses to requests before the invalidation are rejected for all resources.
    private void ForgetOldestInvalidation()
    {
        var (resource, at) = _invalidations.Dequeue();
        _nothingBefore = Math.Max(_nothingBefore, at);
        // A later invalidation of the same resource keeps its record.
        if (_invalidated.TryGetValue(resource, out long latest) && latest == at)
            _invalidated.Remove(resource);
    }

    private LinkedListNode<CachedResponse>? Node(string resource, string variant) =>
        _resources.TryGetValue(resource, out var variants) ? variants.GetValueOrDefault(variant) : null;

    private void Drop(LinkedListNode<CachedResponse> node)
    {
        var (resource, variant) = (node.Value.Stored.Resource, node.Value.Stored.Variant);
        _byUse.Remove(node);
        _bytes -= node.Value.Size;
        var variants = _resources[resource];
        variants.Remove(variant);
        if (variants.Count == 0)
            _resources.Remove(resource);
    }
}
