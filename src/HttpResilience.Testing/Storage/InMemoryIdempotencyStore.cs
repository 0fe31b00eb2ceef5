namespace HttpResilience.Testing;

/// <summary>The idempotency keys of an <see cref="InMemoryStorage"/>.</summary>
internal sealed class InMemoryIdempotencyStore(InMemoryConnection connection)
    : InMemoryStore<IIdempotencyStore>(connection), IIdempotencyStore
{
    public Task<RememberedCall> BeginAsync(RememberedRequest request, CancellationToken cancellationToken) => RunAsync(request, () =>
    {
        var key = Key(request);
        var call = Database.Keys[key] = Begin(Database.Keys.GetValueOrDefault(key), request);
        return new RememberedCall(
            call.Fingerprint, call.Owner, call.BegunAt, call.LeaseUntil, call.IsInDoubt && call.Owner == request.Owner, call.Response);
    }, cancellationToken);

    public Task<bool> CompleteAsync(
        RememberedRequest request, RememberedResponse response, DateTimeOffset expiresAt, CancellationToken cancellationToken) =>
        RunAsync(request, () =>
        {
            if (OwnCall(request) is not { } call)
                return false;
            var completed = InMemoryResponse.Normalize(response);
            Database.Keys[Key(request)] = call with { Response = completed, ExpiresAt = StoredTime.Cut(expiresAt), IsInDoubt = false };
            return true;
        }, cancellationToken);

    public Task<bool> ForgetAsync(RememberedRequest request, CancellationToken cancellationToken) =>
        RunAsync(request, () => OwnCall(request) is { Response: null } && Database.Keys.Remove(Key(request)), cancellationToken);

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

    private static (string, string) Key(RememberedRequest request) =>
        (StoredText.Storable(request.ClientName)!, StoredText.Storable(request.Key)!);

    private InMemoryKey? OwnCall(RememberedRequest request) =>
        Database.Keys.GetValueOrDefault(Key(request)) is { } call && call.Owner == request.Owner ? call : null;
}
