namespace HttpResilience.Testing;

/// <summary>The processes that use an <see cref="InMemoryStorage"/>.</summary>
internal sealed class InMemoryInstanceStore(InMemoryConnection connection) : InMemoryStore<IInstanceStore>(connection), IInstanceStore
{
    public Task SaveAsync(StorageInstance instance, CancellationToken cancellationToken) => RunAsync(instance, () =>
    {
        Database.Instances[instance.Id] = instance with
        {
            Application = StoredText.Storable(instance.Application)!,
            Name = StoredText.Storable(instance.Name)!,
            Version = StoredText.Storable(instance.Version),
            ReplaysFor = StoredJson.List(StoredJson.List(instance.ReplaysFor)),
            Clients = StoredJson.List(StoredJson.List(instance.Clients)),
            PausableClients = instance.PausableClients is { } clients ? StoredJson.List(StoredJson.List(clients)) : null,
            StartedAt = StoredTime.Cut(instance.StartedAt),
            SeenAt = StoredTime.Cut(instance.SeenAt),
            Report = StoredJson.Report(StoredJson.Report(instance.Report)),
        };
        return true;
    }, cancellationToken);

    public Task<IReadOnlyList<StorageInstance>> ListAsync(DateTimeOffset since, CancellationToken cancellationToken) =>
        RunAsync<IReadOnlyList<StorageInstance>>(
            since, () => [.. Database.Instances.Values.Where(i => i.SeenAt >= StoredTime.Cut(since))], cancellationToken);

    public Task<int> PurgeAsync(DateTimeOffset before, CancellationToken cancellationToken) => RunAsync(before, () =>
        Database.Instances.Values.Where(i => i.SeenAt < StoredTime.Cut(before)).Select(i => i.Id).ToList().Count(Database.Instances.Remove),
        cancellationToken);
}
