using Npgsql;
using NpgsqlTypes;

namespace HttpResilience;

/// <summary>A dead letter as a row.</summary>
internal static class PostgreSqlLetter
{
    private static readonly string[] Names =
    [
        "id", "client_name", "authority", "method", "uri", "status", "due_at", "version", "failure_class", "stop_reason", "may_have_been_processed", "status_code",
        "error_type", "error_title", "error_detail", "attempts", "replays", "first_failed_at", "last_failed_at", "idempotency_key", "tenant", "tags", "suggested_action",
        "resolution_action", "resolution_notes", "resolution_by", "resolution_at", "replaces", "replaced_by", "headers", "body_is_missing", "body",
    ];

    internal static readonly string Columns = string.Join(", ", Names);

    /// <summary>The columns of the letter <c>l</c>.</summary>
    internal static readonly string ColumnsOfL = string.Join(", ", Names.Select(n => $"l.{n}"));

    internal static readonly string Add = $"INSERT INTO http_resilience.dead_letters ({Columns}) VALUES ({Placeholders(1)}) ON CONFLICT (id) DO NOTHING RETURNING 1";

    internal static readonly string Update =
        $"UPDATE http_resilience.dead_letters SET {string.Join(", ", Names.Select((n, i) => n == "version" ? "version = version + 1" : $"{n} = ${i + 1}").Skip(1))} WHERE id = $1 AND version = $8 RETURNING 1";

    /// <summary>Takes the parameters of <see cref="Update"/> and then those of the new letter.</summary>
    internal static readonly string Replace =
        $"WITH changed AS ({Update}) INSERT INTO http_resilience.dead_letters ({Columns}) SELECT {Placeholders(Names.Length + 1)} FROM changed RETURNING 1";

    internal static void AddTo(NpgsqlParameterCollection row, DeadLetter letter)
    {
        row.Add(Value(letter.Id));
        row.Add(Text(letter.ClientName));
        row.Add(Text(letter.Authority));
        row.Add(Text(letter.Method));
        row.Add(Text(letter.Uri.AbsoluteUri));
        row.Add(Text(letter.Status.ToString()));
        row.Add(Time(letter.DueAt));
        row.Add(Value(letter.Version));
        row.Add(Text(letter.FailureClass.ToString()));
        row.Add(Text(letter.StopReason.ToString()));
        row.Add(Value(letter.MayHaveBeenProcessed));
        row.Add(Optional(letter.StatusCode, NpgsqlDbType.Integer));
        row.Add(Text(letter.ErrorType));
        row.Add(Text(letter.ErrorTitle));
        row.Add(Text(letter.ErrorDetail));
        row.Add(Value(letter.Attempts));
        row.Add(Value(letter.Replays));
        row.Add(Time(letter.FirstFailedAt));
        row.Add(Time(letter.LastFailedAt));
        row.Add(Text(letter.IdempotencyKey));
        row.Add(Text(letter.Tenant));
        row.Add(Text(StoredJson.Map(letter.Tags)));
        row.Add(Text(letter.SuggestedAction));
        row.Add(Text(letter.Resolution?.Action));
        row.Add(Text(letter.Resolution?.Notes));
        row.Add(Text(letter.Resolution?.By));
        row.Add(Time(letter.Resolution?.At));
        row.Add(Optional(letter.Replaces, NpgsqlDbType.Uuid));
        row.Add(Optional(letter.ReplacedBy, NpgsqlDbType.Uuid));
        row.Add(Text(StoredJson.Pairs(letter.Headers)));
        row.Add(Value(letter.BodyIsMissing));
        row.Add(Bytes(letter.Body));
    }

    internal static StoredLetter Read(NpgsqlDataReader row) => StoredLetter.Read(row.GetGuid(0).ToString(), () => ReadLetter(row));

    private static DeadLetter ReadLetter(NpgsqlDataReader row) => new()
    {
        Id = row.GetGuid(0),
        ClientName = row.GetString(1),
        Method = row.GetString(3),
        Uri = new(row.GetString(4), UriKind.Absolute),
        Status = StoredText.Named<DeadLetterStatus>(row.GetString(5)),
        DueAt = row.GetFieldValue<DateTimeOffset>(6),
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
        FirstFailedAt = row.GetFieldValue<DateTimeOffset>(17),
        LastFailedAt = row.GetFieldValue<DateTimeOffset>(18),
        IdempotencyKey = Text(row, 19),
        Tenant = Text(row, 20),
        Tags = StoredJson.Map(row.GetString(21)),
        SuggestedAction = Text(row, 22),
        Resolution = row.IsDBNull(23) ? null : new(row.GetString(23), Text(row, 24), row.GetString(25), row.GetFieldValue<DateTimeOffset>(26)),
        Replaces = row.IsDBNull(27) ? null : row.GetGuid(27),
        ReplacedBy = row.IsDBNull(28) ? null : row.GetGuid(28),
        Headers = StoredJson.Pairs(row.GetString(29)),
        BodyIsMissing = row.GetBoolean(30),
        Body = row.IsDBNull(31) ? default(ReadOnlyMemory<byte>?) : row.GetFieldValue<byte[]>(31),
    };

    internal static NpgsqlParameter Value<T>(T value) => new NpgsqlParameter<T> { TypedValue = value };

    internal static NpgsqlParameter Text(string? text) => Optional<string>(StoredText.Storable(text), NpgsqlDbType.Text);

    internal static NpgsqlParameter Time(DateTimeOffset? time) => Optional<DateTimeOffset>(time is { } t ? StoredTime.Cut(t) : null, NpgsqlDbType.TimestampTz);

    internal static NpgsqlParameter Bytes(ReadOnlyMemory<byte>? bytes) => Optional(bytes, NpgsqlDbType.Bytea);

    internal static NpgsqlParameter Optional<T>(T? value, NpgsqlDbType type)
        where T : struct => value is { } v ? new NpgsqlParameter<T> { TypedValue = v, NpgsqlDbType = type } : Null(type);

    private static NpgsqlParameter Optional<T>(T? value, NpgsqlDbType type)
        where T : class => value is not null ? new NpgsqlParameter<T> { TypedValue = value, NpgsqlDbType = type } : Null(type);

    private static NpgsqlParameter Null(NpgsqlDbType type) => new() { Value = DBNull.Value, NpgsqlDbType = type };

    internal static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    private static string Placeholders(int first) => string.Join(", ", Enumerable.Range(first, Names.Length).Select(i => $"${i}"));
}
