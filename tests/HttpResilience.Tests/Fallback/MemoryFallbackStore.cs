namespace HttpResilience.Tests.Fallback;

/// <summary>Kept responses in memory, for tests of one part. What a store has to do, the conformance suite shows on the real ones.</summary>
internal sealed class MemoryFallbackStore : IFallbackStore
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(string, string, string), FallbackResponse> _responses = [];

    internal Exception? Fails { get; set; }

    /// <summary>Called when a response is looked for.</summary>
    internal Action? OnFind { get; set; }

    internal bool Hangs { get; set; }

    internal int Saves { get; private set; }

    internal IReadOnlyList<FallbackResponse> All
    {
        get
        {
            lock (_gate)
                return [.. _responses.Values];
        }
    }

    public Task SaveAsync(string clientName, IReadOnlyList<FallbackResponse> responses, long maxBytes, CancellationToken cancellationToken) => DoAsync(() =>
    {
        Saves++;
        foreach (var response in responses)
            _responses[(clientName, response.Resource, response.Variant)] = response;
        return true;
    });

    public Task<FallbackResponse?> FindAsync(string clientName, string resource, string variant, CancellationToken cancellationToken)
    {
        OnFind?.Invoke();
        return DoAsync(() => _responses.GetValueOrDefault((clientName, resource, variant)));
    }

    public Task<int> RemoveAsync(string clientName, string resource, string? variant, CancellationToken cancellationToken) =>
        DoAsync(() => RemoveAll(k => k.Item1 == clientName && k.Item2 == resource && (variant is null || k.Item3 == variant)));

    public Task<int> PurgeAsync(DateTimeOffset now, CancellationToken cancellationToken) => DoAsync(() => RemoveAll(k => _responses[k].ExpiresAt <= now));

    private int RemoveAll(Func<(string, string, string), bool> which)
    {
        var keys = _responses.Keys.Where(which).ToList();
        keys.ForEach(k => _responses.Remove(k));
        return keys.Count;
    }

    private Task<T> DoAsync<T>(Func<T> action)
    {
        if (Hangs)
            return new TaskCompletionSource<T>().Task;
        if (Fails is { } exception)
            return Task.FromException<T>(exception);
        lock (_gate)
            return Task.FromResult(action());
    }
}
