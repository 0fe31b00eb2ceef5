namespace HttpResilience;

/// <summary>
/// The columns of an entry of the activity, each stated once. The application is not among them: an entry belongs to that of its store.
/// </summary>
internal static class ActivityColumns
{
    private static readonly StoredTable<OperatorActivity> Table = new();
    private static readonly StoredColumn<OperatorActivity, Guid> Id = Table.Uuid("id", a => a.Id);
    private static readonly StoredColumn<OperatorActivity, DateTimeOffset> At = Table.Time("at", a => a.At);
    private static readonly StoredColumn<OperatorActivity, string> By = Table.Text("done_by", a => a.By);
    private static readonly StoredColumn<OperatorActivity, string> Action = Table.Text("action", a => a.Action);
    private static readonly StoredColumn<OperatorActivity, Guid?> LetterId = Table.OptionalUuid("letter_id", a => a.LetterId);
    private static readonly StoredColumn<OperatorActivity, Guid?> JobId = Table.OptionalUuid("job_id", a => a.JobId);
    private static readonly StoredColumn<OperatorActivity, string?> ClientName = Table.OptionalText("client_name", a => a.ClientName);
    private static readonly StoredColumn<OperatorActivity, long> Letters = Table.Long("letters", a => a.Letters);
    private static readonly StoredColumn<OperatorActivity, string?> Notes = Table.OptionalText("notes", a => a.Notes);

    internal static readonly IReadOnlyList<StoredColumn<OperatorActivity>> All = Table.Columns;

    internal static readonly string Names = StoredTable<OperatorActivity>.Names(All);

    internal static OperatorActivity Read(StoredRow row) => new()
    {
        Id = Id.Of(row),
        At = At.Of(row),
        By = By.Of(row),
        Action = Action.Of(row),
        LetterId = LetterId.Of(row),
        JobId = JobId.Of(row),
        ClientName = ClientName.Of(row),
        Letters = Letters.Of(row),
        Notes = Notes.Of(row),
    };
}
