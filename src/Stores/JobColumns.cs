namespace HttpResilience;

/// <summary>The columns of a job, each stated once.</summary>
internal static class JobColumns
{
    private static readonly StoredTable<LetterJob> Table = new();
    private static readonly StoredColumn<LetterJob, Guid> Id = Table.Uuid("id", j => j.Id);
    private static readonly StoredColumn<LetterJob, long> Version = Table.Long("version", j => j.Version);
    private static readonly StoredColumn<LetterJob, string> State = Table.Text("state", j => j.State.ToString());
    private static readonly StoredColumn<LetterJob, Guid?> Position = Table.OptionalUuid("position", j => j.Position);
    private static readonly StoredColumn<LetterJob, int> Taken = Table.Int("taken", j => j.Taken);
    private static readonly StoredColumn<LetterJob, int> LeftOut = Table.Int("left_out", j => j.LeftOut);
    private static readonly StoredColumn<LetterJob, DateTimeOffset?> EndedAt = Table.OptionalTime("ended_at", j => j.EndedAt);
    private static readonly StoredColumn<LetterJob, string?> StopReason = Table.OptionalText("stop_reason", j => j.StopReason);

    /// <summary>The columns up to here change. The id and the version come first.</summary>
    internal static readonly IReadOnlyList<StoredColumn<LetterJob>> Changing = [.. Table.Columns];

    private static readonly StoredColumn<LetterJob, string> Application = Table.Text("application", j => j.Application);

    private static readonly StoredColumn<LetterJob, string> Request = Table.Text("request", j => StoredJson.Request(j.Request));
    private static readonly StoredColumn<LetterJob, Guid> UpTo = Table.Uuid("up_to", j => j.UpTo);
    private static readonly StoredColumn<LetterJob, DateTimeOffset> CreatedAt = Table.Time("created_at", j => j.CreatedAt);
    private static readonly StoredColumn<LetterJob, long> Total = Table.Long("total", j => j.Total);

    // For the index that lets only one job with a filter run; nothing reads it.
    private static readonly StoredColumn<LetterJob> Subject = Table.Text("subject", j => StoredJson.SubjectOf(j.Request));

    internal static readonly IReadOnlyList<StoredColumn<LetterJob>> All = Table.Columns;

    internal static readonly string Names = StoredTable<LetterJob>.Names(All);

    internal static LetterJob Read(StoredRow row)
    {
        return new()
        {
            Id = Id.Of(row),
            Version = Version.Of(row),
            State = StoredText.Named<LetterJobState>(State.Of(row)),
            Position = Position.Of(row),
            Taken = Taken.Of(row),
            LeftOut = LeftOut.Of(row),
            EndedAt = EndedAt.Of(row),
            StopReason = StopReason.Of(row),
            Application = Application.Of(row),
            Request = StoredJson.Request(Request.Of(row)),
            UpTo = UpTo.Of(row),
            CreatedAt = CreatedAt.Of(row),
            Total = Total.Of(row),
        };
    }
}
