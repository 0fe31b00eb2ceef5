using System.Data.Common;
using Column = HttpResilience.StoredColumn<HttpResilience.Storage.StorageInstance>;

namespace HttpResilience;

/// <summary>The columns of a process that uses the store, each stated once.</summary>
internal static class InstanceColumns
{
    private static readonly StorageInstance Empty =
        new() { Id = default, Application = "", Name = "", StartedAt = default, SeenAt = default };

    internal static readonly IReadOnlyList<Column> All =
    [
        Column.Uuid("id", i => i.Id, (i, v) => i with { Id = v }),
        Column.Text("application", i => i.Application, (i, v) => i with { Application = v }),
        Column.Text("name", i => i.Name, (i, v) => i with { Name = v }),
        Column.OptionalText("version", i => i.Version, (i, v) => i with { Version = v }),
        Column.Flag("replays", i => i.Replays, (i, v) => i with { Replays = v }),
        Column.Text("replays_for", i => StoredJson.List(i.ReplaysFor), (i, v) => i with { ReplaysFor = StoredJson.List(v) }),
        Column.Text("clients", i => StoredJson.List(i.Clients), (i, v) => i with { Clients = StoredJson.List(v) }),
        Column.Time("started_at", i => i.StartedAt, (i, v) => i with { StartedAt = v }),
        Column.Time("seen_at", i => i.SeenAt, (i, v) => i with { SeenAt = v }),
    ];

    internal static readonly string Names = Column.Names(All);

    internal static readonly string Changes = string.Join(", ", All.Skip(1).Select(c => $"{c.Name} = excluded.{c.Name}"));

    internal static StorageInstance Read(DbDataReader row) => Column.ReadAll(All, row, Empty);
}
