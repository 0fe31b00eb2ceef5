using System.Data.Common;
using Column = HttpResilience.StoredColumn<HttpResilience.BatchFailure>;

namespace HttpResilience;

/// <summary>The columns of a failed record of a batch, each stated once. The index, which with the batch is the key, comes first.</summary>
internal static class FailureColumns
{
    private static readonly BatchFailure Empty = new() { Index = 0, FailureClass = default, Error = "", FailedAt = default };

    internal static readonly IReadOnlyList<Column> All =
    [
        Column.Long("record_index", f => f.Index, (f, v) => f with { Index = v }),
        Column.Named("failure_class", f => f.FailureClass, (f, v) => f with { FailureClass = v }),
        Column.Text("error", f => f.Error, (f, v) => f with { Error = v }),
        Column.OptionalText("error_type", f => f.ErrorType, (f, v) => f with { ErrorType = v }),
        Column.OptionalInt("status_code", f => f.StatusCode, (f, v) => f with { StatusCode = v }),
        Column.OptionalText("idempotency_key", f => f.IdempotencyKey, (f, v) => f with { IdempotencyKey = v }),
        Column.OptionalText("tenant", f => f.Tenant, (f, v) => f with { Tenant = v }),
        Column.Text("tags", f => StoredJson.Map(f.Tags), (f, v) => f with { Tags = StoredJson.Map(v) }),
        Column.OptionalUuid("dead_letter_id", f => f.DeadLetterId, (f, v) => f with { DeadLetterId = v }),
        Column.Time("failed_at", f => f.FailedAt, (f, v) => f with { FailedAt = v }),
        Column.Int("attempts", f => f.Attempts, (f, v) => f with { Attempts = v }),
    ];

    internal static readonly string Names = Column.Names(All);

    /// <summary>Reads a failure. Of a row that cannot be read, only the index is known: the record has failed all the same.</summary>
    internal static BatchFailure Read(DbDataReader row, StoredRows rows) => rows.Or(
        "checkpoint_failures", () => Column.ReadAll(All, row, Empty),
        e => Empty with { Index = row.GetInt64(0), FailureClass = FailureClass.Permanent, Error = $"Its row cannot be read: {e.Message}" });
}
