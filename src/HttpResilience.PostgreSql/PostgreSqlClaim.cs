using Npgsql;
using static HttpResilience.PostgreSqlLetter;
using static HttpResilience.StoredTypes;

namespace HttpResilience;

/// <summary>The statements of a claim of due letters.</summary>
/// <param name="clock">The server's.</param>
internal sealed class PostgreSqlClaim(DeadLetterClaim claim, StoredApplication application, PostgreSqlClock clock)
{
    // Claims run one at a time, for the millisecond that each takes: of two that read the same due letters, one would return none although
    // others are due. The planner takes the recursion of a claim for expensive, and would compile it for longer than it runs.
    private const string AloneSql = "SELECT set_config('jit', 'off', true), pg_advisory_xact_lock($1)";

    // One index lookup for each destination, then the first due letters of each application: excluded destinations cost nothing, and the
    // cost of a claim grows with the number of destinations, not of letters. A letter that another session is changing is skipped.
    private const string DueSql = """
        WITH RECURSIVE destination (client_name, authority) AS (
          SELECT c, (SELECT min(authority) FROM http_resilience.dead_letters WHERE client_name = c AND status IN ('Pending', 'InProgress'))
          FROM unnest($6) c
          UNION
          SELECT d.client_name, (
            SELECT min(authority) FROM http_resilience.dead_letters
            WHERE client_name = d.client_name AND authority > d.authority AND status IN ('Pending', 'InProgress'))
          FROM destination d WHERE d.authority IS NOT NULL
        ), first_due AS MATERIALIZED (
          SELECT l.id, l.due_at, l.size FROM destination d CROSS JOIN unnest($5) AS a (application) CROSS JOIN LATERAL (
            SELECT id, due_at, 1024 + coalesce(octet_length(body), 0) + octet_length(headers) + coalesce(octet_length(history), 0) AS size
            FROM http_resilience.dead_letters
            WHERE client_name = d.client_name AND authority = d.authority AND application = a.application
              AND status IN ('Pending', 'InProgress') AND due_at <= $1
            ORDER BY due_at, id LIMIT $3) l
          WHERE NOT EXISTS (
            SELECT 1 FROM unnest($7, $8) AS e (client_name, authority) WHERE e.client_name = d.client_name AND e.authority = d.authority)
          ORDER BY l.due_at, l.id LIMIT $3
        )
        """;

    private const string DueOnlySql = """
        WITH first_due AS MATERIALIZED (
          SELECT l.id, l.due_at, l.size FROM unnest($5) AS a (application) CROSS JOIN LATERAL (
            SELECT id, due_at, 1024 + coalesce(octet_length(body), 0) + octet_length(headers) + coalesce(octet_length(history), 0) AS size
            FROM http_resilience.dead_letters
            WHERE client_name = $6 AND authority = $7 AND application = a.application
              AND status IN ('Pending', 'InProgress') AND due_at <= $1
            ORDER BY due_at, id LIMIT $3) l
          ORDER BY l.due_at, l.id LIMIT $3
        )
        """;

    // The first letter is taken whatever its size.
    private const string FittingSql = """
        SELECT id FROM (SELECT id, due_at, size, sum(size) OVER (ORDER BY due_at, id) AS total FROM first_due) f
        WHERE total <= $4 OR total = size
        """;

    private static readonly string ClaimSql = TakeSql($"{DueSql}, due AS MATERIALIZED ({FittingSql})");

    private static readonly string ClaimOnlySql = TakeSql($"{DueOnlySql}, due AS MATERIALIZED ({FittingSql})");

    private static readonly string ClaimOneSql = TakeSql("WITH due AS (SELECT $3 AS id)");

    // Arrays, because a join with the few ids may be planned as a search of all that is due.
    /// <param name="due">Selects the letters; the parameters $1 and $2 are the current time and the end of the lease.</param>
    private static string TakeSql(string due) => $"""
        {due}, taken AS MATERIALIZED (
          SELECT id, due_at FROM http_resilience.dead_letters
          WHERE id = ANY (ARRAY(SELECT id FROM due)) AND status IN ('Pending', 'InProgress') AND due_at <= $1
          FOR UPDATE SKIP LOCKED
        ), claimed AS (
          UPDATE http_resilience.dead_letters SET may_have_been_processed = may_have_been_processed OR status = 'InProgress',
            resolution_action = CASE WHEN status = 'InProgress' THEN NULL ELSE resolution_action END,
            takeovers = takeovers + CASE WHEN status = 'InProgress' AND takeovers < 2 THEN 1 ELSE 0 END,
            replays = replays + CASE WHEN status = 'InProgress' THEN 1 ELSE 0 END,
            status = 'InProgress', due_at = $2, version = version + 1
          WHERE id = ANY (ARRAY(SELECT id FROM taken)) RETURNING *
        )
        SELECT {ColumnsOfL} FROM claimed l JOIN taken t ON t.id = l.id ORDER BY t.due_at, t.id
        """;

    private const string SetAsideSql = """
        UPDATE http_resilience.dead_letters SET status = 'RequiresReview', suggested_action = $1
        WHERE id = ANY ($2) AND status IN ('Pending', 'InProgress') AND due_at <= $3
        """;

    private DateTimeOffset Now => claim.Now.Plus(clock.Ahead);

    private DateTimeOffset LeaseUntil => claim.LeaseUntil.Plus(clock.Ahead);

    /// <summary>Waits for the turn of this transaction.</summary>
    internal static NpgsqlBatchCommand Alone() => new(AloneSql) { Parameters = { Value(PostgreSqlSchema.ClaimLock) } };

    /// <summary>Takes the due letters, and returns them in order.</summary>
    internal NpgsqlBatchCommand TakeAll() => Due(claim.Only is null ? ClaimSql : ClaimOnlySql);

    /// <summary>Takes one letter.</summary>
    internal NpgsqlBatchCommand TakeOne(Guid id) => new(ClaimOneSql) { Parameters = { Time(Now), Time(LeaseUntil), Value(id) } };

    /// <summary>Returns the ids of the letters that <see cref="TakeAll"/> would take.</summary>
    internal NpgsqlBatchCommand ListDue() => Due($"{(claim.Only is null ? DueSql : DueOnlySql)} {FittingSql} ORDER BY due_at, id");

    /// <summary>Sets letters aside for review, which this claim took or could not take.</summary>
    internal NpgsqlBatchCommand SetAside(Guid[] ids) =>
        new(SetAsideSql) { Parameters = { Text(StoredLetter.Action), Value(ids), Time(LeaseUntil) } };

    private NpgsqlBatchCommand Due(string sql)
    {
        NpgsqlParameter[] destinations = claim.Only is { } only ? [Text(only.ClientName), Text(only.Authority)]
            :
            [
                Value(claim.Clients.Select(c => StoredText.Storable(c)!).ToArray()),
                Value(claim.Except.Select(d => StoredText.Storable(d.ClientName)!).ToArray()),
                Value(claim.Except.Select(d => d.Authority).ToArray()),
            ];
        var command = new NpgsqlBatchCommand(sql)
        {
            Parameters =
            {
                Time(Now), Time(LeaseUntil), Value(claim.Limit), Value(claim.MaxBytes), Value(application.ClaimedBy(claim)),
            },
        };
        foreach (var parameter in destinations)
            command.Parameters.Add(parameter);
        return command;
    }
}
