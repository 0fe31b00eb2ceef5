using Microsoft.Data.Sqlite;

namespace HttpResilience;

/// <summary>A dead letter as a row.</summary>
internal static class SqliteLetter
{
    // Where a letter is on its way, and then what was asked for, which never changes.
    private static readonly string[] State =
    [
        "id", "version", "status", "due_at", "failure_class", "stop_reason", "may_have_been_processed", "status_code", "error_type", "error_title", "error_detail",
        "attempts", "replays", "last_failed_at", "suggested_action", "resolution_action", "resolution_notes", "resolution_by", "resolution_at", "replaced_by",
    ];

    private static readonly string[] Names =
    [
        .. State, "client_name", "authority", "method", "uri", "first_failed_at", "idempotency_key", "tenant", "tags", "replaces", "headers", "body_is_missing", "body",
    ];

    internal static readonly string Columns = string.Join(", ", Names);

    internal static readonly string Insert = $"INSERT INTO dead_letters ({Columns}) VALUES ({string.Join(", ", Names.Select(n => $"@{n}"))})";

    internal static readonly string Update =
        $"UPDATE dead_letters SET {string.Join(", ", State.Skip(1).Select(n => n == "version" ? "version = version + 1" : $"{n} = @{n}"))} WHERE id = @id AND version = @version";

    internal static string Id(Guid id) => id.ToString("D");

    /// <summary>Where a letter is on its way: the parameters of <see cref="Update"/>.</summary>
    internal static (string, object?)[] Changes(DeadLetter letter) =>
    [
        ("@id", Id(letter.Id)),
        ("@version", letter.Version),
        ("@status", letter.Status.ToString()),
        ("@due_at", StoredTime.Microseconds(letter.DueAt)),
        ("@failure_class", letter.FailureClass.ToString()),
        ("@stop_reason", letter.StopReason.ToString()),
        ("@may_have_been_processed", letter.MayHaveBeenProcessed),
        ("@status_code", letter.StatusCode),
        ("@error_type", StoredText.Storable(letter.ErrorType)),
        ("@error_title", StoredText.Storable(letter.ErrorTitle)),
        ("@error_detail", StoredText.Storable(letter.ErrorDetail)),
        ("@attempts", letter.Attempts),
        ("@replays", letter.Replays),
        ("@last_failed_at", StoredTime.Microseconds(letter.LastFailedAt)),
        ("@suggested_action", StoredText.Storable(letter.SuggestedAction)),
        ("@resolution_action", StoredText.Storable(letter.Resolution?.Action)),
        ("@resolution_notes", StoredText.Storable(letter.Resolution?.Notes)),
        ("@resolution_by", StoredText.Storable(letter.Resolution?.By)),
        ("@resolution_at", letter.Resolution is { } resolution ? StoredTime.Microseconds(resolution.At) : null),
        ("@replaced_by", letter.ReplacedBy is { } replacedBy ? Id(replacedBy) : null),
    ];

    internal static (string, object?)[] Parameters(DeadLetter letter) =>
    [
        .. Changes(letter),
        ("@client_name", StoredText.Storable(letter.ClientName)),
        ("@authority", letter.Authority),
        ("@method", letter.Method),
        ("@uri", letter.Uri.AbsoluteUri),
        ("@first_failed_at", StoredTime.Microseconds(letter.FirstFailedAt)),
        ("@idempotency_key", StoredText.Storable(letter.IdempotencyKey)),
        ("@tenant", StoredText.Storable(letter.Tenant)),
        ("@tags", StoredJson.Map(letter.Tags)),
        ("@replaces", letter.Replaces is { } replaces ? Id(replaces) : null),
        ("@headers", StoredJson.Pairs(letter.Headers)),
        ("@body_is_missing", letter.BodyIsMissing),
        ("@body", letter.Body?.ToArray()),
    ];

    internal static StoredLetter Read(SqliteDataReader row) => StoredLetter.Read(row.GetString(0), () => ReadLetter(row));

    private static DeadLetter ReadLetter(SqliteDataReader row) => new()
    {
        Id = Guid.Parse(row.GetString(0)),
        ClientName = row.GetString(20),
        Method = row.GetString(22),
        Uri = new(row.GetString(23), UriKind.Absolute),
        Status = StoredText.Named<DeadLetterStatus>(row.GetString(2)),
        DueAt = StoredTime.From(row.GetInt64(3)),
        Version = row.GetInt64(1),
        FailureClass = StoredText.Named<FailureClass>(row.GetString(4)),
        StopReason = StoredText.Named<StopReason>(row.GetString(5)),
        MayHaveBeenProcessed = row.GetBoolean(6),
        StatusCode = row.IsDBNull(7) ? null : row.GetInt32(7),
        ErrorType = Text(row, 8),
        ErrorTitle = Text(row, 9),
        ErrorDetail = Text(row, 10),
        Attempts = row.GetInt32(11),
        Replays = row.GetInt32(12),
        FirstFailedAt = StoredTime.From(row.GetInt64(24)),
        LastFailedAt = StoredTime.From(row.GetInt64(13)),
        IdempotencyKey = Text(row, 25),
        Tenant = Text(row, 26),
        Tags = StoredJson.Map(row.GetString(27)),
        SuggestedAction = Text(row, 14),
        Resolution = row.IsDBNull(15) ? null : new(row.GetString(15), Text(row, 16), row.GetString(17), StoredTime.From(row.GetInt64(18))),
        Replaces = Text(row, 28) is { } replaces ? Guid.Parse(replaces) : null,
        ReplacedBy = Text(row, 19) is { } replacedBy ? Guid.Parse(replacedBy) : null,
        Headers = StoredJson.Pairs(row.GetString(29)),
        BodyIsMissing = row.GetBoolean(30),
        Body = row.IsDBNull(31) ? default(ReadOnlyMemory<byte>?) : row.GetFieldValue<byte[]>(31),
    };

    private static string? Text(SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}
