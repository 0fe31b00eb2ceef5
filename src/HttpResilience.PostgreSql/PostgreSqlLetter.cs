using Npgsql;
using NpgsqlTypes;

namespace HttpResilience;

/// <summary>A dead letter as a row.</summary>
internal static class PostgreSqlLetter
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

    /// <summary>The columns of the letter <c>l</c>.</summary>
    internal static readonly string ColumnsOfL = string.Join(", ", Names.Select(n => $"l.{n}"));

    internal static readonly string Add = $"INSERT INTO http_resilience.dead_letters ({Columns}) VALUES ({Placeholders(1)}) ON CONFLICT (id) DO NOTHING RETURNING 1";

    internal static readonly string Update =
        $"UPDATE http_resilience.dead_letters SET {string.Join(", ", State.Select((n, i) => n == "version" ? "version = version + 1" : $"{n} = ${i + 1}").Skip(1))} WHERE id = $1 AND version = $2 RETURNING 1";

    /// <summary>Takes the parameters of <see cref="Update"/> and then those of the new letter.</summary>
    internal static readonly string Replace =
        $"WITH changed AS ({Update}) INSERT INTO http_resilience.dead_letters ({Columns}) SELECT {Placeholders(State.Length + 1)} FROM changed RETURNING 1";

    /// <summary>Where a letter is on its way: the parameters of <see cref="Update"/>.</summary>
    internal static void AddChangesTo(NpgsqlParameterCollection row, DeadLetter letter)
    {
        row.Add(Value(letter.Id));
        row.Add(Value(letter.Version));
        row.Add(Text(letter.Status.ToString()));
        row.Add(Time(letter.DueAt));
        row.Add(Text(letter.FailureClass.ToString()));
        row.Add(Text(letter.StopReason.ToString()));
        row.Add(Value(letter.MayHaveBeenProcessed));
        row.Add(Optional(letter.StatusCode, NpgsqlDbType.Integer));
        row.Add(Text(letter.ErrorType));
        row.Add(Text(letter.ErrorTitle));
        row.Add(Text(letter.ErrorDetail));
        row.Add(Value(letter.Attempts));
        row.Add(Value(letter.Replays));
        row.Add(Time(letter.LastFailedAt));
        row.Add(Text(letter.SuggestedAction));
        row.Add(Text(letter.Resolution?.Action));
        row.Add(Text(letter.Resolution?.Notes));
        row.Add(Text(letter.Resolution?.By));
        row.Add(Time(letter.Resolution?.At));
        row.Add(Optional(letter.ReplacedBy, NpgsqlDbType.Uuid));
    }

    internal static void AddTo(NpgsqlParameterCollection row, DeadLetter letter)
    {
        AddChangesTo(row, letter);
        row.Add(Text(letter.ClientName));
        row.Add(Text(letter.Authority));
        row.Add(Text(letter.Method));
        row.Add(Text(letter.Uri.AbsoluteUri));
        row.Add(Time(letter.FirstFailedAt));
        row.Add(Text(letter.IdempotencyKey));
        row.Add(Text(letter.Tenant));
        row.Add(Text(StoredJson.Map(letter.Tags)));
        row.Add(Optional(letter.Replaces, NpgsqlDbType.Uuid));
        row.Add(Text(StoredJson.Pairs(letter.Headers)));
        row.Add(Value(letter.BodyIsMissing));
        row.Add(Bytes(letter.Body));
    }

    internal static StoredLetter Read(NpgsqlDataReader row) => StoredLetter.Read(row.GetGuid(0).ToString(), () => ReadLetter(row));

    private static DeadLetter ReadLetter(NpgsqlDataReader row) => new()
    {
        Id = row.GetGuid(0),
        ClientName = row.GetString(20),
        Method = row.GetString(22),
        Uri = new(row.GetString(23), UriKind.Absolute),
        Status = StoredText.Named<DeadLetterStatus>(row.GetString(2)),
        DueAt = row.GetFieldValue<DateTimeOffset>(3),
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
        FirstFailedAt = row.GetFieldValue<DateTimeOffset>(24),
        LastFailedAt = row.GetFieldValue<DateTimeOffset>(13),
        IdempotencyKey = Text(row, 25),
        Tenant = Text(row, 26),
        Tags = StoredJson.Map(row.GetString(27)),
        SuggestedAction = Text(row, 14),
        Resolution = row.IsDBNull(15) ? null : new(row.GetString(15), Text(row, 16), row.GetString(17), row.GetFieldValue<DateTimeOffset>(18)),
        Replaces = row.IsDBNull(28) ? null : row.GetGuid(28),
        ReplacedBy = row.IsDBNull(19) ? null : row.GetGuid(19),
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
