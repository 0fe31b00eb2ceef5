using System.Data.Common;
using Column = HttpResilience.StoredColumn<HttpResilience.Storage.StorageIncident>;

namespace HttpResilience;

/// <summary>The columns of an incident, each stated once. The application, which with the key identifies it, is not among them.</summary>
internal static class IncidentColumns
{
    private static readonly StorageIncident Empty =
        new() { Key = "", Alert = "", Sender = default, LeaseUntil = default, ChangedAt = default };

    internal static readonly IReadOnlyList<Column> All =
    [
        Column.Text("key", i => i.Key, (i, v) => i with { Key = v }),
        Column.Long("version", i => i.Version, (i, v) => i with { Version = v }),
        Column.Text("alert", i => i.Alert, (i, v) => i with { Alert = v }),
        Column.Uuid("sender", i => i.Sender, (i, v) => i with { Sender = v }),
        Column.Time("lease_until", i => i.LeaseUntil, (i, v) => i with { LeaseUntil = v }),
        Column.OptionalTime("sent_at", i => i.SentAt, (i, v) => i with { SentAt = v }),
        Column.Text("seen_by", i => StoredJson.Sightings(i.SeenBy), (i, v) => i with { SeenBy = StoredJson.Sightings(v) }),
        Column.Time("changed_at", i => i.ChangedAt, (i, v) => i with { ChangedAt = v }),
    ];

    internal static readonly string Names = Column.Names(All);

    internal static StorageIncident Read(DbDataReader row) => Column.ReadAll(All, row, Empty);

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
