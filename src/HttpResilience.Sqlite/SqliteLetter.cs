using Microsoft.Data.Sqlite;

namespace HttpResilience;

/// <summary>A dead letter as a row.</summary>
internal static class SqliteLetter
{
    private static readonly string[] Names =
    [
        "id", "client_name", "authority", "method", "uri", "status", "due_at", "version", "failure_class", "stop_reason", "may_have_been_processed", "status_code",
        "error_type", "error_title", "error_detail", "attempts", "replays", "first_failed_at", "last_failed_at", "idempotency_key", "tenant", "tags", "suggested_action",
        "resolution_action", "resolution_notes", "resolution_by", "resolution_at", "replaces", "replaced_by", "headers", "body_is_missing", "body",
    ];

    internal static readonly string Columns = string.Join(", ", Names);

    internal static readonly string Insert = $"INSERT INTO dead_letters ({Columns}) VALUES ({string.Join(", ", Names.Select(n => $"@{n}"))})";

    internal static readonly string Update =
        $"UPDATE dead_letters SET {string.Join(", ", Names.Skip(1).Select(n => n == "version" ? "version = version + 1" : $"{n} = @{n}"))} WHERE id = @id AND version = @version";

    internal static string Id(Guid id) => id.ToString("D");

    internal static (string, object?)[] Parameters(DeadLetter letter) =>
    [
        ("@id", Id(letter.Id)),
        ("@client_name", StoredText.Storable(letter.ClientName)),
        ("@authority", letter.Authority),
        ("@method", letter.Method),
        ("@uri", letter.Uri.AbsoluteUri),
        ("@status", letter.Status.ToString()),
        ("@due_at", StoredTime.Microseconds(letter.DueAt)),
        ("@version", letter.Version),
        ("@failure_class", letter.FailureClass.ToString()),
        ("@stop_reason", letter.StopReason.ToString()),
        ("@may_have_been_processed", letter.MayHaveBeenProcessed),
        ("@status_code", letter.StatusCode),
        ("@error_type", StoredText.Storable(letter.ErrorType)),
        ("@error_title", StoredText.Storable(letter.ErrorTitle)),
        ("@error_detail", StoredText.Storable(letter.ErrorDetail)),
        ("@attempts", letter.Attempts),
        ("@replays", letter.Replays),
        ("@first_failed_at", StoredTime.Microseconds(letter.FirstFailedAt)),
        ("@last_failed_at", StoredTime.Microseconds(letter.LastFailedAt)),
        ("@idempotency_key", StoredText.Storable(letter.IdempotencyKey)),
        ("@tenant", StoredText.Storable(letter.Tenant)),
        ("@tags", StoredJson.Map(letter.Tags)),
        ("@suggested_action", StoredText.Storable(letter.SuggestedAction)),
        ("@resolution_action", StoredText.Storable(letter.Resolution?.Action)),
        ("@resolution_notes", StoredText.Storable(letter.Resolution?.Notes)),
        ("@resolution_by", StoredText.Storable(letter.Resolution?.By)),
        ("@resolution_at", letter.Resolution is { } resolution ? StoredTime.Microseconds(resolution.At) : null),
        ("@replaces", letter.Replaces is { } replaces ? Id(replaces) : null),
        ("@replaced_by", letter.ReplacedBy is { } replacedBy ? Id(replacedBy) : null),
        ("@headers", StoredJson.Pairs(letter.Headers)),
        ("@body_is_missing", letter.BodyIsMissing),
        ("@body", letter.Body?.ToArray()),
    ];

    internal static StoredLetter Read(SqliteDataReader row) => StoredLetter.Read(row.GetString(0), () => ReadLetter(row));

    private static DeadLetter ReadLetter(SqliteDataReader row) => new()
    {
        Id = Guid.Parse(row.GetString(0)),
        ClientName = row.GetString(1),
        Method = row.GetString(3),
        Uri = new(row.GetString(4), UriKind.Absolute),
        Status = StoredText.Named<DeadLetterStatus>(row.GetString(5)),
        DueAt = StoredTime.From(row.GetInt64(6)),
        Version = row.GetInt64(7),
        FailureClass = StoredText.Named<FailureClass>(row.GetString(8)),
        StopReason = StoredText.Named<StopReason>(row.GetString(9)),
        MayHaveBeenProcessed = row.GetBoolean(10),
        StatusCode = row.IsDBNull(11) ? null : row.GetInt32(11),
        ErrorType = Text(row, 12),
        ErrorTitle = Text(row, 13),
        ErrorDetail = Text(row, 14),
        Attempts = row.GetInt32(15),
        Replays = row.GetInt32(16),
        FirstFailedAt = StoredTime.From(row.GetInt64(17)),
        LastFailedAt = StoredTime.From(row.GetInt64(18)),
        IdempotencyKey = Text(row, 19),
        Tenant = Text(row, 20),
        Tags = StoredJson.Map(row.GetString(21)),
        SuggestedAction = Text(row, 22),
        Resolution = row.IsDBNull(23) ? null : new(row.GetString(23), Text(row, 24), row.GetString(25), StoredTime.From(row.GetInt64(26))),
        Replaces = Text(row, 27) is { } replaces ? Guid.Parse(replaces) : null,
        ReplacedBy = Text(row, 28) is { } replacedBy ? Guid.Parse(replacedBy) : null,
        Headers = StoredJson.Pairs(row.GetString(29)),
        BodyIsMissing = row.GetBoolean(30),
        Body = row.IsDBNull(31) ? default(ReadOnlyMemory<byte>?) : row.GetFieldValue<byte[]>(31),
    };

    private static string? Text(SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}
