namespace HttpResilience;

/// <summary>
/// The columns of a batch for its list, each stated once. Those of its run belong to it when <c>run_owner</c> is the owner: processes of
/// version 5 leave them as another run has written them.
/// </summary>
internal static class BatchColumns
{
    private static readonly StoredTable<Row> Table = new();
    private static readonly StoredColumn<Row, string> Name = Table.Text("name", _ => "");
    private static readonly StoredColumn<Row, Guid> Owner = Table.Uuid("owner", r => r.Owner);
    private static readonly StoredColumn<Row, DateTimeOffset> LeaseUntil = Table.Time("lease_until", _ => default);
    private static readonly StoredColumn<Row, long> Position = Table.Long("position", _ => 0);
    private static readonly StoredColumn<Row, string> Done = Table.Text("done", _ => "");
    private static readonly StoredColumn<Row, DateTimeOffset?> BegunAt =
        Table.OptionalTime("begun_at", r => r.Run.BegunWith == 0 ? r.Run.BegunAt : null);
    private static readonly StoredColumn<Row, Guid?> RunOwner = Table.OptionalUuid("run_owner", r => r.Owner);
    private static readonly StoredColumn<Row, DateTimeOffset?> RunBegunAt = Table.OptionalTime("run_begun_at", r => r.Run.BegunAt);
    private static readonly StoredColumn<Row, long?> RunBegunWith = Table.OptionalLong("run_begun_with", r => r.Run.BegunWith);
    private static readonly StoredColumn<Row, DateTimeOffset?> RunSavedAt = Table.OptionalTime("run_saved_at", r => r.Run.SavedAt);
    private static readonly StoredColumn<Row, long?> RunTotal = Table.OptionalLong("run_total", r => r.Run.Total);
    private static readonly StoredColumn<Row, string?> RunInstance = Table.OptionalText("run_instance", r => r.Run.Instance);
    private static readonly StoredColumn<Row, long> Failed = Table.Long("failed", _ => 0);

    /// <summary>The columns that a save writes beside those of the checkpoint.</summary>
    internal static readonly IReadOnlyList<StoredColumn<Row>> OfRun = [.. Table.Columns.Skip(5).SkipLast(1)];

    /// <summary>What a list reads, from <c>checkpoints c</c>; the last one counts the failures.</summary>
    /// <param name="failures">The table of the failures.</param>
    internal static string Selected(string failures) =>
        $"{string.Join(", ", Table.Columns.SkipLast(1).Select(c => $"c.{c.Name}"))}, "
        + $"(SELECT count(*) FROM {failures} f WHERE f.name = c.name) AS failed";

    /// <param name="row">A row of <see cref="Selected"/>.</param>
    /// <param name="application">Whose names are read.</param>
    /// <param name="ahead">How far the clock that the lease was written by is ahead.</param>
    /// <returns>Null when the row belongs to another application.</returns>
    internal static (bool IsOwn, StoredBatch Batch)? Read(StoredRow row, StoredApplication application, TimeSpan ahead = default)
    {
        string stored = Name.Of(row);
        if (application.NameIn(stored) is not { } name)
            return null;
        var (owner, position) = (Owner.Of(row), Position.Of(row));
        bool isOfOwner = RunOwner.Of(row) == owner;
        return (stored == application.Own(name), new StoredBatch
        {
            Name = name,
            Owner = owner,
            LeaseUntil = LeaseUntil.Of(row).Plus(-ahead),
            Position = position,
            Done = position + StoredJson.Ranges(Done.Of(row)).Sum(r => r.To - r.From),
            Failed = Failed.Of(row),
            BegunAt = BegunAt.Of(row),
            Run = isOfOwner && RunBegunAt.Of(row) is { } begunAt && RunSavedAt.Of(row) is { } savedAt
                ? new(begunAt, RunBegunWith.Of(row) ?? 0, savedAt, RunTotal.Of(row), RunInstance.Of(row)) : null,
        });
    }

    /// <summary>What a save writes of its run.</summary>
    internal sealed record Row(Guid Owner, CheckpointRun Run);
}
