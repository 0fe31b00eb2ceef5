namespace HttpResilience;

/// <summary>The fallback responses of a SQLite database.</summary>
internal sealed class SqliteFallbackStore(SqliteWriter writer, SqliteReaders readers, StoredApplication application, StoredRows rows)
    : IFallbackStore
{
    private const string Columns = "received_at, initial_age, expires_at, status_code, reason_phrase, headers, body";

    private const string SaveSql = $"""
        INSERT INTO fallback_responses AS f (client_name, resource, variant, size, {Columns})
        VALUES (
          @client_name, @resource, @variant, @size, @received_at, @initial_age, @expires_at, @status_code, @reason_phrase, @headers, @body)
        ON CONFLICT (client_name, resource, variant) DO UPDATE SET
          size = excluded.size, received_at = excluded.received_at, initial_age = excluded.initial_age, expires_at = excluded.expires_at,
          status_code = excluded.status_code, reason_phrase = excluded.reason_phrase, headers = excluded.headers, body = excluded.body
        WHERE f.received_at <= excluded.received_at
        """;

    // total() does not overflow, whatever size a row has.
    private const string SizeSql =
        "SELECT CAST(total(size) AS INTEGER) FROM fallback_responses WHERE client_name IN (@client_name, @name_of_none)";

    private const string TrimSql = """
        DELETE FROM fallback_responses WHERE rowid IN (
          SELECT id FROM (
            SELECT rowid AS id, total(size) OVER (ORDER BY received_at DESC, resource, variant, client_name) AS total
            FROM fallback_responses WHERE client_name IN (@client_name, @name_of_none)
          ) WHERE total > @max_bytes)
        """;

    public Task SaveAsync(
        string clientName, IReadOnlyList<FallbackResponse> responses, long maxBytes, CancellationToken cancellationToken) =>
        writer.RunAsync(s =>
    {
        var (client, none) = Names(clientName);
        foreach (var response in responses)
            s.Execute(SaveSql, [client, .. Parameters(response)]);
        if (s.Scalar<long>(SizeSql, client, none) > maxBytes)
            s.Execute(TrimSql, client, none, ("@max_bytes", maxBytes));
        return true;
    }, cancellationToken);

    public async Task<FallbackResponse?> FindAsync(string clientName, string resource, string variant, CancellationToken cancellationToken)
    {
        var (client, none) = Names(clientName);
        var found = await readers.RunAsync(
            s => s.Read(
                row => rows.OrNull("fallback_responses", () => Read(resource, variant, row)),
                $"""
                SELECT {Columns} FROM fallback_responses
                WHERE client_name IN (@client_name, @name_of_none) AND resource = @resource AND variant = @variant
                ORDER BY received_at DESC LIMIT 1
                """,
                client, none, ("@resource", resource), ("@variant", variant)),
            cancellationToken).ConfigureAwait(false);
        return found.SingleOrDefault();
    }

    public Task<int> RemoveAsync(string clientName, string resource, string? variant, CancellationToken cancellationToken)
    {
        var (client, none) = Names(clientName);
        return writer.RunAsync(s => s.Execute(
            """
            DELETE FROM fallback_responses
            WHERE client_name IN (@client_name, @name_of_none) AND resource = @resource AND (@variant IS NULL OR variant = @variant)
            """,
            client, none, ("@resource", resource), ("@variant", variant)), cancellationToken);
    }

    public Task<int> PurgeAsync(DateTimeOffset now, CancellationToken cancellationToken) =>
        writer.RunAsync(
            s => s.Execute("DELETE FROM fallback_responses WHERE expires_at <= @now", ("@now", StoredTime.Microseconds(now))),
            cancellationToken);

    // The client in the rows of this application, and in those of none.
    private ((string, object?) Own, (string, object?) None) Names(string clientName) =>
        (("@client_name", application.Own(clientName)), ("@name_of_none", StoredApplication.OfNone(clientName)));

    private static (string, object?)[] Parameters(FallbackResponse response) =>
    [
        ("@resource", response.Resource), ("@variant", response.Variant), ("@size", response.Size),
        ("@received_at", StoredTime.Microseconds(response.ReceivedAt)),
        ("@initial_age", (long)response.InitialAge.TotalMicroseconds), ("@expires_at", StoredTime.Microseconds(response.ExpiresAt)),
        ("@status_code", response.Response.StatusCode), ("@reason_phrase", StoredText.Storable(response.Response.ReasonPhrase)),
        ("@headers", StoredJson.Pairs(response.Response.Headers)), ("@body", response.Response.Body.ToArray()),
    ];

    private static FallbackResponse Read(string resource, string variant, StoredRow row) => new(
        resource, variant, StoredTime.From(row.GetInt64(0)), TimeSpan.FromMicroseconds(row.GetInt64(1)), StoredTime.From(row.GetInt64(2)),
        new(row.GetInt32(3), row.IsDBNull(4) ? null : row.GetString(4), StoredJson.Pairs(row.GetString(5)), row.GetBytes(6)));
}
