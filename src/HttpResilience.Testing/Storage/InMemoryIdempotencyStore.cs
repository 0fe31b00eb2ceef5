namespace HttpResilience.Testing;

/// <summary>The idempotency keys of an <see cref="InMemoryStorage"/>.</summary>
internal sealed class InMemoryIdempotencyStore(InMemoryConnection connection)
    : InMemoryStore<IIdempotencyStore>(connection), IIdempotencyStore
{
    public Task<RememberedCall> BeginAsync(RememberedRequest request, CancellationToken cancellationToken) => RunAsync(request, () =>
    {
        var key = KeyInEffect(request);
        var call = Database.Keys[key] = Begin(Database.Keys.GetValueOrDefault(key), request);
        return new RememberedCall(
            call.Fingerprint, call.Owner, call.BegunAt, call.LeaseUntil, call.IsInDoubt && call.Owner == request.Owner, call.Response);
    }, cancellationToken);

    public Task<bool> CompleteAsync(
        RememberedRequest request, RememberedResponse response, DateTimeOffset expiresAt, CancellationToken cancellationToken) =>
        RunAsync(request, () =>
        {
            if (OwnCall(request) is not { Value: { } call, Key: var key })
                return false;
            var completed = InMemoryResponse.Normalize(response);
            Database.Keys[key] = call with { Response = completed, ExpiresAt = StoredTime.Cut(expiresAt), IsInDoubt = false };
            return true;
        }, cancellationToken);

    public Task<bool> ForgetAsync(RememberedRequest request, CancellationToken cancellationToken) =>
        RunAsync(
            request, () => OwnCall(request) is { Value.Response: null, Key: var key } && Database.Keys.Remove(key), cancellationToken);

    public Task<int> PurgeAsync(DateTimeOffset now, CancellationToken cancellationToken) => RunAsync(now, () =>
    {
        List<(string, string)> expired = [.. Database.Keys.Where(c => c.Value.ExpiresAt <= StoredTime.Cut(now)).Select(c => c.Key)];
        return expired.Count(Database.Keys.Remove);
    }, cancellationToken);

    private static InMemoryKey Begin(InMemoryKey? known, RememberedRequest request)
    {
        var (now, leaseUntil) = (StoredTime.Cut(request.Now), StoredTime.Cut(request.LeaseUntil));
        DateTimeOffset? expiresAt = request.ExpiresAt is { } at ? StoredTime.Cut(at) : null;
        if (known is null || known.ExpiresAt <= now)
            return new(request.Fingerprint, request.Owner, now, leaseUntil, IsInDoubt: false, expiresAt, Response: null);

        bool isOwn = known.Owner == request.Owner;
        if (known.Response is not null || known.Fingerprint != request.Fingerprint || (!isOwn && known.LeaseUntil > now))
            return known;
        return known with { Owner = request.Owner, LeaseUntil = leaseUntil, IsInDoubt = known.IsInDoubt || !isOwn, ExpiresAt = expiresAt };
    }

    // A key of no application, from a version that wrote none, is honoured until it expires.
    private (string ClientName, string Key) KeyInEffect(RememberedRequest request)
    {
        var now = StoredTime.Cut(request.Now);
        var own = (Connection.Own(request.ClientName), StoredText.Storable(request.Key)!);
        bool isOwn = Database.Keys.TryGetValue(own, out var call) && !(call.ExpiresAt <= now);
        return isOwn ? own : Of(request).Where(k => !(k.Value.ExpiresAt <= now)).Select(k => k.Key).FirstOrDefault(own);
    }

    private KeyValuePair<(string ClientName, string Key), InMemoryKey>? OwnCall(RememberedRequest request) =>
        Of(request).Select(k => (KeyValuePair<(string, string), InMemoryKey>?)k)
            .FirstOrDefault(k => k!.Value.Value.Owner == request.Owner);

    private IEnumerable<KeyValuePair<(string ClientName, string Key), InMemoryKey>> Of(RememberedRequest request) =>
        Connection.Names(request.ClientName, Database.Keys.Keys.Select(k => k.ClientName))
            .Select(client => (client, StoredText.Storable(request.Key)!))
            .Where(Database.Keys.ContainsKey).Select(key => KeyValuePair.Create(key, Database.Keys[key]));
}
