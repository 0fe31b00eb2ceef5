using System.Text;
using Npgsql;
using static HttpResilience.PostgreSqlLetter;
using static HttpResilience.StoredTypes;

namespace HttpResilience;

/// <summary>The statements that a query of dead letters becomes.</summary>
internal static class PostgreSqlLetterQuery
{
    private const string IsOpen = "status IN ('Pending', 'InProgress', 'RequiresReview')";

    /// <summary>A page of letters.</summary>
    /// <param name="from">The oldest letter that is looked at; null for all.</param>
    internal static NpgsqlCommand Select(DeadLetterQuery query, Guid? from = null)
    {
        string columns = query.OmitBodies ? ColumnsWithoutBody : Columns;
        var command = new NpgsqlCommand { Parameters = { Value(query.Limit) } };
        string filter = Filter(query, command.Parameters);
        if (query.Before is { } before)
        {
            command.Parameters.Add(Value(before));
            filter += $" AND id < ${command.Parameters.Count}";
        }

        if (from is { } oldest)
        {
            command.Parameters.Add(Value(oldest));
            filter += $" AND id >= ${command.Parameters.Count}";
        }

        command.CommandText = $"SELECT {columns} FROM http_resilience.dead_letters WHERE TRUE{filter} ORDER BY id DESC LIMIT $1";
        return command;
    }

    /// <summary>The number and the oldest of the letters that are looked through, by an index alone.</summary>
    internal static NpgsqlCommand Candidates(DeadLetterQuery query, int atMost)
    {
        var command = new NpgsqlCommand { Parameters = { Value(atMost) } };
        string filter = Filter(new() { Status = query.Status, Fingerprint = query.Fingerprint }, command.Parameters);
        if (query.Before is { } before)
        {
            command.Parameters.Add(Value(before));
            filter += $" AND id < ${command.Parameters.Count}";
        }

        // There is no min(uuid) before PostgreSQL 18.
        command.CommandText = $"""
            SELECT count(*), min(id::text COLLATE "C")
            FROM (SELECT id FROM http_resilience.dead_letters WHERE TRUE{filter} ORDER BY id DESC LIMIT $1) newest
            """;
        return command;
    }

    /// <summary>All open letters by their cause, those with the latest failure first.</summary>
    internal static NpgsqlCommand Groups(DeadLetterQuery query)
    {
        var command = new NpgsqlCommand();
        string filter = Filter(query with { Status = null }, command.Parameters);
        // Infinite times, or such beyond the years of this platform, as for the count.
        command.CommandText = $"""
            WITH causes AS (
              SELECT fingerprint AS cause, count(*) FILTER (WHERE status = 'Pending') AS pending,
                count(*) FILTER (WHERE status = 'InProgress') AS in_progress,
                count(*) FILTER (WHERE status = 'RequiresReview') AS requires_review,
                greatest('0001-01-01Z', least('9999-12-31Z', min(first_failed_at))) AS first,
                greatest('0001-01-01Z', least('9999-12-31Z', max(last_failed_at))) AS last
              FROM http_resilience.dead_letters WHERE {IsOpen} AND fingerprint IS NOT NULL{filter}
              GROUP BY fingerprint)
            SELECT cause, pending, in_progress, requires_review, first, last, {GroupColumns.OfNewest}
            FROM causes CROSS JOIN LATERAL (
              SELECT {GroupColumns.OfNewest} FROM http_resilience.dead_letters WHERE fingerprint = cause AND {IsOpen}{filter}
              ORDER BY id DESC LIMIT 1) newest
            ORDER BY last DESC, cause
            """;
        return command;
    }

    /// <summary>Deletes letters that are settled, and were before a time.</summary>
    internal static NpgsqlBatchCommand Purge(DeadLetterQuery query, DateTimeOffset before, int limit)
    {
        var command = new NpgsqlBatchCommand();
        command.CommandText =
            $"DELETE FROM http_resilience.dead_letters WHERE id IN ({Settled(query, before, limit, "id", command.Parameters)})";
        return command;
    }

    /// <summary>Counts them.</summary>
    internal static NpgsqlCommand CountSettled(DeadLetterQuery query, DateTimeOffset before, int limit)
    {
        var command = new NpgsqlCommand();
        // Infinite times, or such beyond the years of this platform, as for the count.
        command.CommandText = $"""
            SELECT count(*), greatest('0001-01-01Z', least('9999-12-31Z', min(first_failed_at)))
            FROM ({Settled(query, before, limit, "first_failed_at", command.Parameters)}) settled
            """;
        return command;
    }

    private static string Settled(
        DeadLetterQuery query, DateTimeOffset before, int limit, string column, NpgsqlParameterCollection parameters)
    {
        parameters.Add(Time(before));
        parameters.Add(Value(limit));
        string filter = Filter(query, parameters);
        if (query.ClientName is { } client)
        {
            // The index holds the beginning only, because names have no greatest length.
            parameters.Add(Text(client));
            filter += $" AND left(client_name, 100) = left(${parameters.Count}, 100)";
        }

        return $"""
            SELECT {column} FROM http_resilience.dead_letters
            WHERE status IN ('Replayed', 'Resolved', 'Resubmitted') AND last_failed_at < $1
              AND CASE WHEN status = 'Replayed' THEN due_at ELSE coalesce(resolution_at, last_failed_at) END < $1
              {filter} LIMIT $2
            """;
    }

    /// <summary>The conditions of a query, each with AND before it.</summary>
    private static string Filter(DeadLetterQuery query, NpgsqlParameterCollection parameters)
    {
        var sql = new StringBuilder();
        Where("status =", query.Status is { } status ? Text(status.ToString()) : null);
        Where("fingerprint =", query.Fingerprint is { } fingerprint ? Text(fingerprint) : null);
        Where("method =", query.Method is { } method ? Text(method) : null);
        Where("status_code =", query.StatusCode is { } statusCode ? Value(statusCode) : null);
        if (query.Text is { } text)
        {
            parameters.Add(Text(text));
            // In this collation only A to Z have a lower case.
            sql.Append(" AND strpos(lower((coalesce(error_title, '') || chr(10) || coalesce(error_detail, '')) COLLATE \"C\"), lower($")
                .Append(parameters.Count).Append(" COLLATE \"C\")) > 0");
        }

        Where("client_name =", query.ClientName is { } client ? Text(client) : null);
        Where("authority =", query.Authority is { } authority ? Text(authority) : null);
        Where("tenant =", query.Tenant is { } tenant ? Text(tenant) : null);
        Where("application =", query.Application is { } application ? Text(application) : null);
        if (query.Tag is { } tag)
        {
            string entry = StoredJson.Entry(tag);
            parameters.Add(Text($"{{{entry}"));
            parameters.Add(Text($",{entry}"));
            sql.Append(" AND (strpos(tags, $").Append(parameters.Count - 1).Append(") > 0 OR strpos(tags, $").Append(parameters.Count)
                .Append(") > 0)");
        }

        Where("failure_class =", query.FailureClass is { } failureClass ? Text(failureClass.ToString()) : null);
        Where("job_id =", query.JobId is { } job ? Value(job) : null);
        Where("first_failed_at >=", query.Since is { } since ? Time(since) : null);
        Where("first_failed_at <", query.Until is { } until ? Time(until) : null);
        return sql.ToString();

        void Where(string condition, NpgsqlParameter? value)
        {
            if (value is null)
                return;
            parameters.Add(value);
            sql.Append(" AND ").Append(condition).Append(" $").Append(parameters.Count);
        }
    }
}
