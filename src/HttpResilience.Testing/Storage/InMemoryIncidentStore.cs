namespace HttpResilience.Testing;

/// <summary>The incidents of an <see cref="InMemoryStorage"/>.</summary>
internal sealed class InMemoryIncidentStore(InMemoryConnection connection) : InMemoryStore<IIncidentStore>(connection), IIncidentStore
{
    private string Application => Connection.Application?.Name ?? "";

    public Task<IReadOnlyList<StorageIncident>> ListAsync(CancellationToken cancellationToken) =>
        RunAsync<IReadOnlyList<StorageIncident>>(
            null,
            () =>
            [
                .. Database.Incidents.Where(i => i.Key.Application == Application).Select(i => i.Value)
                    .OrderBy(i => i.Key, StringComparer.Ordinal),
            ], cancellationToken);

    public Task<bool> SaveAsync(StorageIncident incident, CancellationToken cancellationToken) => RunAsync(incident, () =>
    {
        var key = (Application, StoredText.Storable(incident.Key)!);
        if ((Database.Incidents.GetValueOrDefault(key)?.Version ?? 0) != incident.Version)
            return false;
        Database.Incidents[key] = incident with
        {
            Key = key.Item2,
            Version = incident.Version + 1,
            Alert = StoredText.Storable(incident.Alert)!,
            LeaseUntil = StoredTime.Cut(incident.LeaseUntil),
            SentAt = incident.SentAt is { } sent ? StoredTime.Cut(sent) : null,
            SeenBy = incident.SeenBy.ToDictionary(s => s.Key, s => StoredTime.Cut(s.Value)),
            ChangedAt = StoredTime.Cut(incident.ChangedAt),
        };
        return true;
    }, cancellationToken);

    public Task<int> PurgeAsync(DateTimeOffset before, CancellationToken cancellationToken) => RunAsync(before, () =>
        Database.Incidents.Where(i => i.Value.ChangedAt < StoredTime.Cut(before)).Select(i => i.Key).ToList()
            .Count(Database.Incidents.Remove), cancellationToken);
}
