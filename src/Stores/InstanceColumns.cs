namespace HttpResilience;

/// <summary>The columns of a process that uses the store, each stated once.</summary>
internal static class InstanceColumns
{
    private static readonly StoredTable<StorageInstance> Table = new();
    private static readonly StoredColumn<StorageInstance, Guid> Id = Table.Uuid("id", i => i.Id);
    private static readonly StoredColumn<StorageInstance, string> Application = Table.Text("application", i => i.Application);
    private static readonly StoredColumn<StorageInstance, string> Name = Table.Text("name", i => i.Name);
    private static readonly StoredColumn<StorageInstance, string?> Version = Table.OptionalText("version", i => i.Version);
    private static readonly StoredColumn<StorageInstance, bool> Replays = Table.Flag("replays", i => i.Replays);
    private static readonly StoredColumn<StorageInstance, string> ReplaysFor =
        Table.Text("replays_for", i => StoredJson.List(i.ReplaysFor));
    private static readonly StoredColumn<StorageInstance, string> Clients = Table.Text("clients", i => StoredJson.List(i.Clients));
    private static readonly StoredColumn<StorageInstance, string?> PausableClients =
        Table.OptionalText("pausable_clients", i => i.PausableClients is { } clients ? StoredJson.List(clients) : null);
    private static readonly StoredColumn<StorageInstance, DateTimeOffset> StartedAt = Table.Time("started_at", i => i.StartedAt);
    private static readonly StoredColumn<StorageInstance, DateTimeOffset> SeenAt = Table.Time("seen_at", i => i.SeenAt);
    private static readonly StoredColumn<StorageInstance, string?> Report =
        Table.OptionalText("report", i => StoredJson.Report(i.Report));

    internal static readonly IReadOnlyList<StoredColumn<StorageInstance>> All = Table.Columns;

    internal static readonly string Names = StoredTable<StorageInstance>.Names(All);

    internal static readonly string Changes = string.Join(", ", All.Skip(1).Select(c => $"{c.Name} = excluded.{c.Name}"));

    internal static StorageInstance Read(StoredRow row) => new()
    {
        Id = Id.Of(row),
        Application = Application.Of(row),
        Name = Name.Of(row),
        Version = Version.Of(row),
        Replays = Replays.Of(row),
        ReplaysFor = StoredJson.List(ReplaysFor.Of(row)),
        Clients = StoredJson.List(Clients.Of(row)),
        PausableClients = PausableClients.Of(row) is { } clients ? StoredJson.List(clients) : null,
        StartedAt = StartedAt.Of(row),
        SeenAt = SeenAt.Of(row),
        Report = StoredJson.Report(Report.Of(row)),
    };
}
