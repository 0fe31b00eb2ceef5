namespace HttpResilience;

/// <summary>The columns of a failed record of a batch, each stated once. The index, which with the batch is the key, comes first.</summary>
internal static class FailureColumns
{
    private static readonly StoredTable<BatchFailure> Table = new();
    private static readonly StoredColumn<BatchFailure, long> Index = Table.Long("record_index", f => f.Index);
    private static readonly StoredColumn<BatchFailure, string> Class = Table.Text("failure_class", f => f.FailureClass.ToString());
    private static readonly StoredColumn<BatchFailure, string> Error = Table.Text("error", f => f.Error);
    private static readonly StoredColumn<BatchFailure, string?> ErrorType = Table.OptionalText("error_type", f => f.ErrorType);
    private static readonly StoredColumn<BatchFailure, int?> StatusCode = Table.OptionalInt("status_code", f => f.StatusCode);
    private static readonly StoredColumn<BatchFailure, string?> Key = Table.OptionalText("idempotency_key", f => f.IdempotencyKey);
    private static readonly StoredColumn<BatchFailure, string?> Tenant = Table.OptionalText("tenant", f => f.Tenant);
    private static readonly StoredColumn<BatchFailure, string> Tags = Table.Text("tags", f => StoredJson.Map(f.Tags));
    private static readonly StoredColumn<BatchFailure, Guid?> LetterId = Table.OptionalUuid("dead_letter_id", f => f.DeadLetterId);
    private static readonly StoredColumn<BatchFailure, DateTimeOffset> FailedAt = Table.Time("failed_at", f => f.FailedAt);
    private static readonly StoredColumn<BatchFailure, int> Attempts = Table.Int("attempts", f => f.Attempts);

    internal static readonly IReadOnlyList<StoredColumn<BatchFailure>> All = Table.Columns;

    internal static readonly string Names = StoredTable<BatchFailure>.Names(All);

    /// <summary>Reads a failure. Of a row that cannot be read, only the index is known: the record has failed all the same.</summary>
    internal static BatchFailure Read(StoredRow row, StoredRows rows) => rows.Or("checkpoint_failures", () => Read(row), e => new()
    {
        Index = row.GetInt64(0),
        FailureClass = FailureClass.Permanent,
        Error = $"Its row cannot be read: {e.Message}",
        FailedAt = default,
    });

    private static BatchFailure Read(StoredRow row) => new()
    {
        Index = Index.Of(row),
        FailureClass = StoredText.Named<FailureClass>(Class.Of(row)),
        Error = Error.Of(row),
        ErrorType = ErrorType.Of(row),
        StatusCode = StatusCode.Of(row),
        IdempotencyKey = Key.Of(row),
        Tenant = Tenant.Of(row),
        Tags = StoredJson.Map(Tags.Of(row)),
        DeadLetterId = LetterId.Of(row),
        FailedAt = FailedAt.Of(row),
        Attempts = Attempts.Of(row),
    };
}
