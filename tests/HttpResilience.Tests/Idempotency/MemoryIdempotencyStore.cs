namespace HttpResilience.Tests.Idempotency;

/// <summary>Remembered calls in memory, for tests of one part. What a store has to do, the conformance suite shows on the real ones.</summary>
internal sealed class MemoryIdempotencyStore : IIdempotencyStore
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(string, string), Entry> _calls = [];

    internal Exception? Fails { get; set; }

    internal bool Hangs { get; set; }

    /// <summary>Called with the number of each request to begin, the first is 1, before it is looked at.</summary>
    internal Action<int>? OnBegin { get; set; }

    internal List<RememberedRequest> Begun { get; } = [];

    internal Entry Only
    {
        get
        {
            lock (_gate)
                return _calls.Values.ShouldHaveSingleItem();
        }
    }

    internal bool IsEmpty
    {
        get
        {
            lock (_gate)
                return _calls.Count == 0;
        }
    }

    /// <summary>Another has taken all calls over.</summary>
    internal void Steal()
    {
        lock (_gate)
        {
            foreach (var key in _calls.Keys.ToList())
                _calls[key] = _calls[key] with { Owner = Guid.NewGuid() };
        }
    }

    public Task<RememberedCall> BeginAsync(RememberedRequest request, CancellationToken cancellationToken)
    {
        OnBegin?.Invoke(Begun.Count + 1);
        return DoAsync(() =>
        {
            Begun.Add(request);
            var entry = _calls.GetValueOrDefault((request.ClientName, request.Key));
            if (entry is null || entry.ExpiresAt <= request.Now)
                entry = new(request.Fingerprint, request.Owner, request.Now, request.LeaseUntil, false, request.ExpiresAt, null);
            else if (entry.Response is null && entry.Fingerprint == request.Fingerprint && (entry.Owner == request.Owner || entry.LeaseUntil <= request.Now))
                entry = entry with { Owner = request.Owner, LeaseUntil = request.LeaseUntil, IsInDoubt = entry.IsInDoubt || entry.Owner != request.Owner, ExpiresAt = request.ExpiresAt };
            _calls[(request.ClientName, request.Key)] = entry;
            return new RememberedCall(entry.Fingerprint, entry.Owner, entry.BegunAt, entry.LeaseUntil, entry.IsInDoubt && entry.Owner == request.Owner, entry.Response);
        });
    }

    public Task<bool> CompleteAsync(RememberedRequest request, RememberedResponse response, DateTimeOffset expiresAt, CancellationToken cancellationToken) => DoAsync(() =>
    {
        if (!IsOf(request))
            return false;
        _calls[(request.ClientName, request.Key)] = _calls[(request.ClientName, request.Key)] with { Response = response, ExpiresAt = expiresAt, IsInDoubt = false };
        return true;
    });

    public Task<bool> ForgetAsync(RememberedRequest request, CancellationToken cancellationToken) =>
        DoAsync(() => IsOf(request) && _calls[(request.ClientName, request.Key)].Response is null && _calls.Remove((request.ClientName, request.Key)));

    public Task<int> PurgeAsync(DateTimeOffset now, CancellationToken cancellationToken) => DoAsync(() =>
    {
        var expired = _calls.Where(c => c.Value.ExpiresAt <= now).Select(c => c.Key).ToList();
        expired.ForEach(key => _calls.Remove(key));
        return expired.Count;
    });

    private bool IsOf(RememberedRequest request) => _calls.GetValueOrDefault((request.ClientName, request.Key))?.Owner == request.Owner;

    private Task<T> DoAsync<T>(Func<T> action)
    {
        if (Hangs)
            return new TaskCompletionSource<T>().Task;
        if (Fails is { } exception)
            return Task.FromException<T>(exception);
        lock (_gate)
            return Task.FromResult(action());
    }

    internal sealed record Entry(
        string Fingerprint, Guid Owner, DateTimeOffset BegunAt, DateTimeOffset LeaseUntil, bool IsInDoubt, DateTimeOffset? ExpiresAt, RememberedResponse? Response);
}
