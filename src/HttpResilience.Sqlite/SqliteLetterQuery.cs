using System.Text;

namespace HttpResilience;

/// <summary>The statements that a query of dead letters becomes.</summary>
internal static class SqliteLetterQuery
{
    private const string IsOpen = "status IN ('Pending', 'InProgress', 'RequiresReview')";

    /// <summary>A page of letters.</summary>
    /// <param name="last">The last letter of the page before; null for that of the query.</param>
    /// <param name="from">The oldest letter that is looked at; null for all.</param>
    internal static (string Sql, (string, object?)[] Parameters) Select(DeadLetterQuery query, string? last, string? from = null)
    {
        string columns = query.OmitBodies ? SqliteLetter.ColumnsWithoutBody : SqliteLetter.Columns;
        var (conditions, parameters) = Filter(query);
        if ((last ?? (query.Before is { } before ? SqliteLetter.Id(before) : null)) is { } end)
        {
            conditions += " AND id < @before";
            parameters.Add(("@before", end));
        }

        if (from is not null)
        {
            conditions += " AND id >= @from";
            parameters.Add(("@from", from));
        }

        parameters.Add(("@limit", query.Limit));
        return ($"SELECT {columns} FROM dead_letters WHERE TRUE{conditions} ORDER BY id DESC LIMIT @limit", [.. parameters]);
    }

    /// <summary>The number and the oldest of the letters that are looked through, by an index alone.</summary>
    internal static (string Sql, (string, object?)[] Parameters) Candidates(DeadLetterQuery query, int atMost)
    {
        var (conditions, parameters) = Filter(new() { Status = query.Status, Fingerprint = query.Fingerprint });
        if (query.Before is { } before)
        {
            conditions += " AND id < @before";
            parameters.Add(("@before", SqliteLetter.Id(before)));
        }

        parameters.Add(("@limit", atMost));
        return (
            $"SELECT count(*), min(id) FROM (SELECT id FROM dead_letters WHERE TRUE{conditions} ORDER BY id DESC LIMIT @limit)",
            [.. parameters]);
    }

    /// <summary>All open letters by their cause, those with the latest failure first.</summary>
    // The index holds all that is counted. It is named for the same reason as in SqliteDeadLetterStore.BacklogSql, where no other
    // criterion needs the row.
    internal static (string Sql, (string, object?)[] Parameters) Groups(DeadLetterQuery query)
    {
        var (conditions, parameters) = Filter(query with { Status = null, Application = null });
        string applications = query.Application is null ? "" : " AND application = @application";
        string index = conditions.Length == 0 ? "INDEXED BY dead_letters_by_cause " : "";
        string sql = $"""
            WITH counted AS (
              SELECT fingerprint AS cause, status, count(*) AS letters, min(first_failed_at) AS first, max(last_failed_at) AS last
              FROM dead_letters {index}WHERE {IsOpen} AND fingerprint >= ''{applications}{conditions} GROUP BY status, fingerprint),
            causes AS (
              SELECT cause, sum(letters * (status = 'Pending')) AS pending, sum(letters * (status = 'InProgress')) AS in_progress,
                sum(letters * (status = 'RequiresReview')) AS requires_review, min(first) AS first, max(last) AS last
              FROM counted GROUP BY cause)
            SELECT cause, pending, in_progress, requires_review, first, last, {GroupColumns.OfNewest}
            FROM causes JOIN dead_letters ON id = (
              SELECT id FROM dead_letters INDEXED BY dead_letters_of_cause
              WHERE fingerprint = cause AND {IsOpen}{applications}{conditions} ORDER BY id DESC LIMIT 1)
            ORDER BY last DESC, cause
            """;
        if (query.Application is not null)
            parameters.Add(("@application", StoredText.Storable(query.Application)));
        return (sql, [.. parameters]);
    }

    /// <summary>Deletes letters that are settled. Their time and the limit are for the caller to add.</summary>
    internal static (string Sql, List<(string, object?)> Parameters) Purge(DeadLetterQuery query)
    {
        var (settled, parameters) = Settled(query, "rowid");
        return ($"DELETE FROM dead_letters WHERE rowid IN ({settled})", parameters);
    }

    /// <summary>Counts them. Their time and the limit are for the caller to add.</summary>
    internal static (string Sql, List<(string, object?)> Parameters) CountSettled(DeadLetterQuery query)
    {
        var (settled, parameters) = Settled(query, "first_failed_at");
        return ($"SELECT count(*), min(first_failed_at) FROM ({settled})", parameters);
    }

    // The index is named for the same reason as in SqliteDeadLetterStore.BacklogSql: each portion would read all letters that are settled.
    private static (string Sql, List<(string, object?)> Parameters) Settled(DeadLetterQuery query, string column)
    {
        var (conditions, parameters) = Filter(query);
        string sql = $"""
            SELECT {column} FROM dead_letters
              INDEXED BY {(query.ClientName is null ? "dead_letters_done" : "dead_letters_done_by_client")}
            WHERE status IN ('Replayed', 'Resolved', 'Resubmitted') AND last_failed_at < @settled_before
              AND CASE WHEN status = 'Replayed' THEN due_at ELSE coalesce(resolution_at, last_failed_at) END < @settled_before
              {conditions} LIMIT @limit
            """;
        return (sql, parameters);
    }

    private static (string Sql, List<(string, object?)> Parameters) Filter(DeadLetterQuery query)
    {
        var sql = new StringBuilder();
        List<(string, object?)> parameters = [];
        Where("status = @status", "@status", query.Status?.ToString());
        Where("fingerprint = @fingerprint", "@fingerprint", query.Fingerprint);
        Where("method = @method", "@method", StoredText.Storable(query.Method));
        Where("status_code = @status_code", "@status_code", query.StatusCode);
        Where("instr(lower(coalesce(error_title, '') || char(10) || coalesce(error_detail, '')), lower(@text)) > 0", "@text",
            StoredText.Storable(query.Text));
        Where("client_name = @client_name", "@client_name", StoredText.Storable(query.ClientName));
        Where("authority = @authority", "@authority", query.Authority);
        Where("tenant = @tenant", "@tenant", StoredText.Storable(query.Tenant));
        Where("application = @application", "@application", StoredText.Storable(query.Application));
        if (query.Tag is { } tag)
        {
            string entry = StoredText.Storable(StoredJson.Entry(tag))!;
            Where("(instr(tags, @first_tag) > 0", "@first_tag", $"{{{entry}");
            parameters.Add(("@later_tag", $",{entry}"));
            sql.Append(" OR instr(tags, @later_tag) > 0)");
        }

        Where("failure_class = @failure_class", "@failure_class", query.FailureClass?.ToString());
        Where("job_id = @job_id", "@job_id", query.JobId is { } job ? SqliteLetter.Id(job) : null);
        Where("first_failed_at >= @since", "@since", query.Since is { } since ? StoredTime.Microseconds(since) : null);
        Where("first_failed_at < @until", "@until", query.Until is { } until ? StoredTime.Microseconds(until) : null);
        return (sql.ToString(), parameters);

        void Where(string condition, string name, object? value)
        {
            if (value is null)
                return;
            sql.Append(" AND ").Append(condition);
            parameters.Add((name, value));
        }
    }
}
