namespace HttpResilience;

/// <summary>The remembered calls of a SQLite database.</summary>
internal sealed class SqliteIdempotencyStore(SqliteWriter writer, StoredApplication application) : IIdempotencyStore
{
    private const string Columns = "fingerprint, owner, lease_until, is_in_doubt, status_code, reason_phrase, headers, body, begun_at";

    private const string BeginSql = """
        INSERT INTO remembered_calls AS r (client_name, key, fingerprint, owner, lease_until, is_in_doubt, expires_at, begun_at)
        VALUES (@client_name, @key, @fingerprint, @owner, @lease_until, FALSE, @expires_at, @now)
        ON CONFLICT (client_name, key) DO UPDATE SET
          is_in_doubt = CASE WHEN r.expires_at <= @now THEN FALSE WHEN r.owner = excluded.owner THEN r.is_in_doubt ELSE TRUE END,
          begun_at = CASE WHEN r.expires_at <= @now THEN excluded.begun_at ELSE r.begun_at END,
          fingerprint = excluded.fingerprint, owner = excluded.owner, lease_until = excluded.lease_until, expires_at = excluded.expires_at,
          status_code = NULL, reason_phrase = NULL, headers = NULL, body = NULL
        WHERE r.expires_at <= @now
          OR (r.status_code IS NULL AND r.fingerprint = excluded.fingerprint AND (r.owner = excluded.owner OR r.lease_until <= @now))
        """;

    // A key of version 1 that has not expired is honoured.
    private const string ClientSql = """
        SELECT client_name FROM remembered_calls
        WHERE client_name IN (@client_name, @name_of_none) AND key = @key AND (expires_at IS NULL OR expires_at > @now)
        ORDER BY client_name <> @client_name LIMIT 1
        """;

    private const string ReadSql = $"SELECT {Columns} FROM remembered_calls WHERE client_name = @client_name AND key = @key";

    public Task<RememberedCall> BeginAsync(RememberedRequest request, CancellationToken cancellationToken) => writer.RunAsync(s =>
    {
        (string, object?)[] key = Key(request);
        if (s.Scalar<string>(ClientSql, [.. key, ("@now", StoredTime.Microseconds(request.Now))]) is { } client)
            key[0].Item2 = client;
        s.Execute(BeginSql,
        [
            .. key, ("@fingerprint", request.Fingerprint), ("@lease_until", StoredTime.Microseconds(request.LeaseUntil)),
            ("@now", StoredTime.Microseconds(request.Now)),
            ("@expires_at", request.ExpiresAt is { } expiresAt ? StoredTime.Microseconds(expiresAt) : null),
        ]);
        return s.Read(
            row => StoredRows.OrThrow($"the key '{request.Key}'", () => Read(row, request.Owner)), ReadSql, key).Single();
    }, cancellationToken, PendingWrite.KeyTimeout);

    public Task<bool> CompleteAsync(
        RememberedRequest request, RememberedResponse response, DateTimeOffset expiresAt, CancellationToken cancellationToken)
    {
        (string, object?)[] parameters =
        [
            .. Key(request), ("@expires_at", StoredTime.Microseconds(expiresAt)), ("@status_code", response.StatusCode),
            ("@reason_phrase", StoredText.Storable(response.ReasonPhrase)), ("@headers", StoredJson.Pairs(response.Headers)),
            ("@body", response.Body.ToArray()),
        ];
        return writer.RunAsync(s => s.Execute(
            """
            UPDATE remembered_calls
            SET expires_at = @expires_at, is_in_doubt = FALSE, status_code = @status_code, reason_phrase = @reason_phrase,
              headers = @headers, body = @body
            WHERE client_name IN (@client_name, @name_of_none) AND key = @key AND owner = @owner
            """, parameters) == 1, cancellationToken, PendingWrite.KeyTimeout);
    }

    public Task<bool> ForgetAsync(RememberedRequest request, CancellationToken cancellationToken) => writer.RunAsync(s => s.Execute(
        """
        DELETE FROM remembered_calls
        WHERE client_name IN (@client_name, @name_of_none) AND key = @key AND owner = @owner AND status_code IS NULL
        """,
        Key(request)) == 1, cancellationToken, PendingWrite.KeyTimeout);

    public Task<int> PurgeAsync(DateTimeOffset now, CancellationToken cancellationToken) =>
        writer.RunAsync(
            s => s.Execute("DELETE FROM remembered_calls WHERE expires_at <= @now", ("@now", StoredTime.Microseconds(now))),
            cancellationToken);

    private (string, object?)[] Key(RememberedRequest request) =>
    [
        ("@client_name", application.Own(request.ClientName)), ("@key", StoredText.Storable(request.Key)),
        ("@owner", request.Owner.ToString("D")), ("@name_of_none", StoredApplication.OfNone(request.ClientName)),
    ];

    private static RememberedCall Read(StoredRow row, Guid asking)
    {
        var owner = Guid.Parse(row.GetString(1));
        RememberedResponse? response = row.IsDBNull(4) ? null
            : row.IsDBNull(6) || row.IsDBNull(7) ? throw new FormatException("It has a status and no headers or body.")
            : new(
                row.GetInt32(4), row.IsDBNull(5) ? null : row.GetString(5),
                StoredJson.Pairs(row.GetString(6)), row.GetBytes(7));
        bool isInDoubt = row.GetBoolean(3) && owner == asking;
        return new(row.GetString(0), owner, StoredTime.From(row.GetInt64(8)), StoredTime.From(row.GetInt64(2)), isInDoubt, response);
    }
}
