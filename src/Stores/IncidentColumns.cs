namespace HttpResilience;

/// <summary>The columns of an incident, each stated once. The application, which with the key identifies it, is not among them.</summary>
internal static class IncidentColumns
{
    private static readonly StoredTable<StorageIncident> Table = new();
    private static readonly StoredColumn<StorageIncident, string> Key = Table.Text("key", i => i.Key);
    private static readonly StoredColumn<StorageIncident, long> Version = Table.Long("version", i => i.Version);
    private static readonly StoredColumn<StorageIncident, string> Alert = Table.Text("alert", i => i.Alert);
    private static readonly StoredColumn<StorageIncident, Guid> Sender = Table.Uuid("sender", i => i.Sender);
    private static readonly StoredColumn<StorageIncident, DateTimeOffset> LeaseUntil = Table.Time("lease_until", i => i.LeaseUntil);
    private static readonly StoredColumn<StorageIncident, DateTimeOffset?> SentAt = Table.OptionalTime("sent_at", i => i.SentAt);
    private static readonly StoredColumn<StorageIncident, string> SeenBy = Table.Text("seen_by", i => StoredJson.Sightings(i.SeenBy));
    private static readonly StoredColumn<StorageIncident, DateTimeOffset> ChangedAt = Table.Time("changed_at", i => i.ChangedAt);

    internal static readonly IReadOnlyList<StoredColumn<StorageIncident>> All = Table.Columns;

    internal static readonly string Names = StoredTable<StorageIncident>.Names(All);

    internal static StorageIncident Read(StoredRow row) => new()
    {
        Key = Key.Of(row),
        Version = Version.Of(row),
        Alert = Alert.Of(row),
        Sender = Sender.Of(row),
        LeaseUntil = LeaseUntil.Of(row),
        SentAt = SentAt.Of(row),
        SeenBy = StoredJson.Sightings(SeenBy.Of(row)),
        ChangedAt = ChangedAt.Of(row),
    };

    extension(StorageIncident incident)
    {
        /// <summary>The incident as the next version.</summary>
        internal StorageIncident Next => incident with { Version = incident.Version + 1 };

        /// <summary>The incident with its times by a clock that is ahead by this.</summary>
        internal StorageIncident At(TimeSpan ahead) => ahead == TimeSpan.Zero ? incident : incident with
        {
            LeaseUntil = incident.LeaseUntil.Plus(ahead),
            SentAt = incident.SentAt?.Plus(ahead),
            SeenBy = incident.SeenBy.ToDictionary(s => s.Key, s => s.Value.Plus(ahead)),
            ChangedAt = incident.ChangedAt.Plus(ahead),
        };
    }
}
