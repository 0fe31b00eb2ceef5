using System.Collections.Concurrent;
using Npgsql;

namespace HttpResilience;

/// <summary>
/// The schema as the steps that lead from an empty database to each version. A released step never changes; a new version adds a step. The
/// number of steps taken is the one row of <c>http_resilience.schema_version</c>, with the lowest number of steps that a program must know
/// to use the result: a step that only adds tables and nullable columns does not raise it, so that older programs keep working.
/// </summary>
internal sealed class PostgreSqlSchema(params IReadOnlyList<string> steps)
{
    private const string Default = "http_resilience";

    private readonly ConcurrentDictionary<string, string> _renamed = new(StringComparer.Ordinal);

    /// <summary>The name of the schema, a valid identifier; SQL is written for the default name.</summary>
    internal string Name { get; private init; } = Default;

    internal PostgreSqlSchema Named(string? name) => name is null or Default ? this : new(steps) { Name = name };

    /// <summary>A statement for this schema. There are few statements, so each is rewritten once.</summary>
    internal string Sql(string sql) => Name == Default ? sql
        : _renamed.GetOrAdd(sql, static (s, name) => s.Replace($"{Default}.", $"\"{name}\".", StringComparison.Ordinal), Name);

    /// <summary>
    /// The advisory locks, each "HtRs" and a number: one session at a time changes the schema, claims letters, changes fallback responses,
    /// or mends the counts of letters.
    /// </summary>
    internal const long SchemaLock = 0x48745273_00000001, ClaimLock = 0x48745273_00000002, FallbackLock = 0x48745273_00000003,
        CountLock = 0x48745273_00000004;

    internal static PostgreSqlSchema Current { get; } = new(
        """
        CREATE TABLE http_resilience.dead_letters (
          id uuid PRIMARY KEY,
          client_name text COLLATE "C" NOT NULL,
          authority text COLLATE "C" NOT NULL,
          method text NOT NULL,
          uri text NOT NULL,
          status text COLLATE "C" NOT NULL,
          due_at timestamptz NOT NULL,
          version bigint NOT NULL,
          failure_class text NOT NULL,
          stop_reason text NOT NULL,
          may_have_been_processed boolean NOT NULL,
          status_code integer,
          error_type text,
          error_title text,
          error_detail text,
          attempts integer NOT NULL,
          replays integer NOT NULL,
          first_failed_at timestamptz NOT NULL,
          last_failed_at timestamptz NOT NULL,
          idempotency_key text,
          tenant text,
          tags text NOT NULL,
          suggested_action text,
          resolution_action text,
          resolution_notes text,
          resolution_by text,
          resolution_at timestamptz,
          replaces uuid,
          replaced_by uuid,
          headers text NOT NULL,
          body_is_missing boolean NOT NULL,
          body bytea
        );
        CREATE INDEX dead_letters_to_claim ON http_resilience.dead_letters (client_name, authority, due_at, id)
          WHERE status IN ('Pending', 'InProgress');
        CREATE INDEX dead_letters_pending ON http_resilience.dead_letters (due_at) WHERE status = 'Pending';
        CREATE INDEX dead_letters_by_status ON http_resilience.dead_letters (status, id);
        CREATE INDEX dead_letters_done ON http_resilience.dead_letters (last_failed_at)
          WHERE status IN ('Replayed', 'Resolved', 'Resubmitted');

        CREATE TABLE http_resilience.remembered_calls (
          client_name text COLLATE "C" NOT NULL,
          key text COLLATE "C" NOT NULL,
          fingerprint text NOT NULL,
          owner uuid NOT NULL,
          begun_at timestamptz NOT NULL,
          lease_until timestamptz NOT NULL,
          is_in_doubt boolean NOT NULL,
          expires_at timestamptz,
          status_code integer,
          reason_phrase text,
          headers text,
          body bytea,
          PRIMARY KEY (client_name, key)
        );
        CREATE INDEX remembered_calls_to_expire ON http_resilience.remembered_calls (expires_at) WHERE expires_at IS NOT NULL;

        CREATE TABLE http_resilience.fallback_responses (
          client_name text COLLATE "C" NOT NULL,
          resource text COLLATE "C" NOT NULL,
          variant text COLLATE "C" NOT NULL,
          received_at timestamptz NOT NULL,
          initial_age bigint NOT NULL,
          expires_at timestamptz NOT NULL,
          size bigint NOT NULL,
          status_code integer NOT NULL,
          reason_phrase text,
          headers text NOT NULL,
          body bytea NOT NULL,
          PRIMARY KEY (client_name, resource, variant)
        );
        CREATE INDEX fallback_responses_by_time ON http_resilience.fallback_responses (client_name, received_at, size);
        CREATE INDEX fallback_responses_to_expire ON http_resilience.fallback_responses (expires_at);

        CREATE TABLE http_resilience.checkpoints (
          name text COLLATE "C" PRIMARY KEY,
          owner uuid NOT NULL,
          lease_until timestamptz NOT NULL,
          position bigint NOT NULL,
          done text NOT NULL
        );
        CREATE TABLE http_resilience.checkpoint_failures (
          name text COLLATE "C" NOT NULL,
          record_index bigint NOT NULL,
          failure_class text NOT NULL,
          error text NOT NULL,
          error_type text,
          status_code integer,
          idempotency_key text,
          tenant text,
          tags text NOT NULL,
          dead_letter_id uuid,
          failed_at timestamptz NOT NULL,
          attempts integer NOT NULL,
          PRIMARY KEY (name, record_index)
        );

        CREATE TABLE http_resilience.error_budget_counts (
          client_name text COLLATE "C" NOT NULL,
          period timestamptz NOT NULL,
          version text COLLATE "C" NOT NULL,
          failure_class text COLLATE "C" NOT NULL,
          calls bigint NOT NULL,
          PRIMARY KEY (client_name, period, version, failure_class)
        );
        CREATE INDEX error_budget_counts_by_period ON http_resilience.error_budget_counts (period);
        CREATE TABLE http_resilience.error_budget_writers (
          writer uuid PRIMARY KEY,
          sequence bigint NOT NULL,
          saved_at timestamptz NOT NULL
        );
        CREATE TABLE http_resilience.error_budget_pauses (
          client_name text COLLATE "C" PRIMARY KEY,
          is_paused boolean NOT NULL,
          changed_by text,
          changed_at timestamptz NOT NULL
        );
        CREATE TABLE http_resilience.deployed_versions (
          version text COLLATE "C" PRIMARY KEY,
          first_seen_at timestamptz NOT NULL,
          last_started_at timestamptz NOT NULL
        );
        """,
        // Processes of version 1 that still run write rows without the new columns, and claim with the first columns of the index.
        """
        ALTER TABLE http_resilience.dead_letters
          ADD COLUMN application text COLLATE "C" NOT NULL DEFAULT '',
          ADD COLUMN takeovers integer NOT NULL DEFAULT 0,
          ADD COLUMN original_uri text,
          ADD COLUMN http_version text,
          ADD COLUMN http_version_policy text,
          ADD COLUMN idempotency_header_name text;
        DROP INDEX http_resilience.dead_letters_to_claim;
        CREATE INDEX dead_letters_to_claim ON http_resilience.dead_letters (client_name, authority, application, due_at, id)
          WHERE status IN ('Pending', 'InProgress');

        DROP INDEX http_resilience.dead_letters_by_status;
        CREATE INDEX dead_letters_by_status ON http_resilience.dead_letters (status, id) INCLUDE (application);

        CREATE TABLE http_resilience.instances (
          id uuid PRIMARY KEY,
          application text COLLATE "C" NOT NULL,
          name text NOT NULL,
          version text,
          replays boolean NOT NULL,
          replays_for text NOT NULL,
          clients text NOT NULL,
          started_at timestamptz NOT NULL,
          seen_at timestamptz NOT NULL
        );
        CREATE INDEX instances_by_time ON http_resilience.instances (seen_at);

        ALTER TABLE http_resilience.schema_version ADD COLUMN lowest_reader integer NOT NULL DEFAULT 2;
        """,
        // Processes of version 2 that still run write rows without the new columns. Settled letters are kept for ever by default in
        // a store that began with an older version; the setting is the version before this step.
        """
        ALTER TABLE http_resilience.dead_letters
          ADD COLUMN left_out text,
          ADD COLUMN protected_with text;
        CREATE INDEX dead_letters_without_key ON http_resilience.dead_letters (protected_with)
          WHERE status = 'RequiresReview' AND suggested_action = 'key ' || protected_with || ' is missing';
        CREATE INDEX dead_letters_done_by_client ON http_resilience.dead_letters (left(client_name, 100), last_failed_at)
          WHERE status IN ('Replayed', 'Resolved', 'Resubmitted');
        DROP INDEX http_resilience.dead_letters_pending;
        CREATE INDEX dead_letters_pending ON http_resilience.dead_letters (application, due_at) WHERE status = 'Pending';

        -- Kept by triggers, also for the writes of older processes: a count does not look through the letters. Each session has rows of its
        -- own, so that none waits for another. The function has the rights of its owner, because a user may have been granted those on the
        -- tables of before.
        CREATE TABLE http_resilience.letter_counts (
          application text COLLATE "C" NOT NULL,
          status text COLLATE "C" NOT NULL,
          session integer NOT NULL,
          letters bigint NOT NULL,
          PRIMARY KEY (application, status, session)
        );
        INSERT INTO http_resilience.letter_counts
          SELECT application, status, 0, count(*) FROM http_resilience.dead_letters GROUP BY application, status;
        CREATE FUNCTION http_resilience.count_letters() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = pg_catalog, pg_temp AS $count$
        BEGIN
          IF TG_OP = 'INSERT' THEN
            INSERT INTO http_resilience.letter_counts AS c
              SELECT application, status, pg_backend_pid(), count(*) FROM added GROUP BY application, status
              ON CONFLICT (application, status, session) DO UPDATE SET letters = c.letters + excluded.letters;
          ELSIF TG_OP = 'DELETE' THEN
            INSERT INTO http_resilience.letter_counts AS c
              SELECT application, status, pg_backend_pid(), -count(*) FROM removed GROUP BY application, status
              ON CONFLICT (application, status, session) DO UPDATE SET letters = c.letters + excluded.letters;
          ELSIF TG_OP = 'UPDATE' THEN
            INSERT INTO http_resilience.letter_counts AS c
              SELECT application, status, pg_backend_pid(), sum(n) FROM (
                SELECT application, status, 1 AS n FROM added UNION ALL SELECT application, status, -1 FROM removed) changed
              GROUP BY application, status HAVING sum(n) <> 0
              ON CONFLICT (application, status, session) DO UPDATE SET letters = c.letters + excluded.letters;
          ELSE
            DELETE FROM http_resilience.letter_counts;
          END IF;
          RETURN NULL;
        END
        $count$;
        CREATE TRIGGER letters_added AFTER INSERT ON http_resilience.dead_letters
          REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION http_resilience.count_letters();
        CREATE TRIGGER letters_deleted AFTER DELETE ON http_resilience.dead_letters
          REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION http_resilience.count_letters();
        CREATE TRIGGER letters_changed AFTER UPDATE ON http_resilience.dead_letters
          REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION http_resilience.count_letters();
        CREATE TRIGGER letters_truncated AFTER TRUNCATE ON http_resilience.dead_letters
          FOR EACH STATEMENT EXECUTE FUNCTION http_resilience.count_letters();

        CREATE TABLE http_resilience.incidents (
          application text COLLATE "C" NOT NULL,
          key text COLLATE "C" NOT NULL,
          version bigint NOT NULL,
          alert text NOT NULL,
          sender uuid NOT NULL,
          lease_until timestamptz NOT NULL,
          sent_at timestamptz,
          seen_by text NOT NULL,
          changed_at timestamptz NOT NULL,
          PRIMARY KEY (application, key)
        );

        CREATE TABLE http_resilience.settings (name text COLLATE "C" PRIMARY KEY, value text NOT NULL);
        INSERT INTO http_resilience.settings
          SELECT 'first_schema_version', CASE version WHEN 0 THEN 3 ELSE version END FROM http_resilience.schema_version;
        """,
        // Processes of version 3 that still run write rows without the new column; CompleteAsync fills it.
        """
        ALTER TABLE http_resilience.dead_letters ADD COLUMN fingerprint text COLLATE "C";
        CREATE INDEX dead_letters_by_cause
          ON http_resilience.dead_letters (status, fingerprint, application, first_failed_at, last_failed_at)
          WHERE status IN ('Pending', 'InProgress', 'RequiresReview');
        CREATE INDEX dead_letters_of_cause ON http_resilience.dead_letters (fingerprint, id);
        """,
        // Processes of version 4 that still run change letters and leave the new columns as they are.
        """
        ALTER TABLE http_resilience.dead_letters ADD COLUMN history text, ADD COLUMN job_id uuid, ADD COLUMN job_accepted integer,
          ADD COLUMN job_ended_at timestamptz;
        CREATE INDEX dead_letters_of_job ON http_resilience.dead_letters (job_id, job_ended_at, job_accepted, status)
          WHERE job_id IS NOT NULL;

        CREATE TABLE http_resilience.letter_jobs (
          id uuid PRIMARY KEY,
          version bigint NOT NULL,
          state text COLLATE "C" NOT NULL,
          position uuid,
          taken integer NOT NULL,
          left_out integer NOT NULL,
          ended_at timestamptz,
          stop_reason text,
          application text COLLATE "C" NOT NULL,
          request text NOT NULL,
          up_to uuid NOT NULL,
          created_at timestamptz NOT NULL,
          total bigint NOT NULL,
          subject text COLLATE "C" NOT NULL
        );
        CREATE UNIQUE INDEX letter_jobs_running ON http_resilience.letter_jobs (application, subject) WHERE state = 'Running';
        CREATE INDEX letter_jobs_by_state ON http_resilience.letter_jobs (application, state, id);
        CREATE INDEX letter_jobs_ended ON http_resilience.letter_jobs (ended_at) WHERE ended_at IS NOT NULL;

        CREATE TABLE http_resilience.operator_activity (
          application text COLLATE "C" NOT NULL,
          id uuid PRIMARY KEY,
          at timestamptz NOT NULL,
          done_by text NOT NULL,
          action text NOT NULL,
          letter_id uuid,
          job_id uuid,
          client_name text,
          letters bigint NOT NULL,
          notes text
        );
        CREATE INDEX operator_activity_by_application ON http_resilience.operator_activity (application, id);
        CREATE INDEX operator_activity_by_time ON http_resilience.operator_activity (at);
        """,
        // Processes of version 5 that still run write rows without the new columns, pause clients without a note, and save the progress of
        // a batch without its times: note_at and run_owner show which rows those are.
        """
        ALTER TABLE http_resilience.instances ADD COLUMN report text, ADD COLUMN pausable_clients text;
        CREATE TABLE http_resilience.circuit_holds (
          application text COLLATE "C" NOT NULL,
          client_name text COLLATE "C" NOT NULL,
          authority text COLLATE "C" NOT NULL,
          tenant text COLLATE "C" NOT NULL,
          is_held boolean NOT NULL,
          changed_by text NOT NULL,
          note text,
          changed_at timestamptz NOT NULL,
          PRIMARY KEY (application, client_name, authority, tenant)
        );
        ALTER TABLE http_resilience.error_budget_pauses ADD COLUMN note text, ADD COLUMN note_at timestamptz;
        ALTER TABLE http_resilience.checkpoints ADD COLUMN begun_at timestamptz, ADD COLUMN run_owner uuid,
          ADD COLUMN run_begun_at timestamptz, ADD COLUMN run_begun_with bigint, ADD COLUMN run_saved_at timestamptz,
          ADD COLUMN run_total bigint, ADD COLUMN run_instance text;
        """);

    internal IReadOnlyList<string> Steps => steps;

    /// <summary>
    /// Creates the schema or updates an older one. A schema of another application is rejected before anything is changed.
    /// </summary>
    internal async Task PrepareAsync(NpgsqlConnection connection, string database, CancellationToken cancellationToken)
    {
        if (await VersionAsync(connection, database, cancellationToken).ConfigureAwait(false) >= steps.Count)
            return;

        var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await using var transactionScope = transaction.ConfigureAwait(false);
        await ExecuteAsync($"SELECT pg_advisory_xact_lock({SchemaLock})").ConfigureAwait(false);
        // Another process may have done it while this one waited for the lock.
        int version = await VersionAsync(connection, database, cancellationToken).ConfigureAwait(false);
        if (version >= steps.Count)
            return;

        if (version == 0)
        {
            // Not IF NOT EXISTS, which requires the right to create even where the schema exists.
            if (await CountAsync($"SELECT count(*) FROM pg_namespace WHERE nspname = '{Name}'").ConfigureAwait(false) == 0)
                await ExecuteAsync($"CREATE SCHEMA \"{Name}\"").ConfigureAwait(false);
            await ExecuteAsync(
                """
                CREATE TABLE http_resilience.schema_version (version integer NOT NULL);
                INSERT INTO http_resilience.schema_version VALUES (0)
                """).ConfigureAwait(false);
        }

        for (; version < steps.Count; version++)
            await ExecuteAsync(steps[version]).ConfigureAwait(false);
        await ExecuteAsync(
            $"UPDATE http_resilience.schema_version SET version = {steps.Count}; SELECT set_config('synchronous_commit', 'on', true)")
            .ConfigureAwait(false);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);

        async Task ExecuteAsync(string sql)
        {
            using var command = new NpgsqlCommand(Sql(sql), connection);
            await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }

        async Task<long> CountAsync(string sql)
        {
            using var command = new NpgsqlCommand(sql, connection);
            return (long)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
        }
    }

    private async Task<int> VersionAsync(NpgsqlConnection connection, string database, CancellationToken cancellationToken)
    {
        using var look = new NpgsqlCommand(
            $"""
            SELECT count(*), count(*) FILTER (WHERE relname = 'schema_version') FROM pg_class
            WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = '{Name}') AND relkind IN ('r', 'v', 'm', 'f', 'p')
            """, connection);
        (long tables, long versions) = await ReadAsync(look, r => (r.GetInt64(0), r.GetInt64(1)), cancellationToken).ConfigureAwait(false);
        if (tables == 0)
            return 0;

        int[] found = [];
        if (versions == 1)
        {
            using var read = new NpgsqlCommand(
                Sql("SELECT coalesce(array_agg(version), '{}') FROM http_resilience.schema_version"), connection);
            try
            {
                found = await ReadAsync(read, r => r.GetFieldValue<int[]>(0), cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is InvalidCastException or PostgresException { SqlState: PostgresErrorCodes.UndefinedColumn })
            {
                throw Foreign(database, tables);
            }
        }

        if (found is not [> 0 and var version])
            throw Foreign(database, tables);
        if (version > steps.Count && await LowestReaderAsync().ConfigureAwait(false) > steps.Count)
            throw new HttpResilienceStorageException(
                $"The schema {Name} of {database} has version {version}, "
                + $"and this version of HttpResilience.PostgreSql knows {steps.Count}: nothing was changed; update the package.");
        return version;

        async Task<int> LowestReaderAsync()
        {
            using var read = new NpgsqlCommand(Sql("SELECT lowest_reader FROM http_resilience.schema_version"), connection);
            return await ReadAsync(read, r => r.GetInt32(0), cancellationToken).ConfigureAwait(false);
        }
    }

    private HttpResilienceStorageException Foreign(string database, long tables) =>
        new(
            $"The schema {Name} of {database} is not one of HttpResilience ({tables} tables, and no table schema_version with one row "
            + "that holds their version): nothing was changed; use another database.");

    private static async Task<T> ReadAsync<T>(NpgsqlCommand command, Func<NpgsqlDataReader, T> row, CancellationToken cancellationToken)
    {
        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var readerScope = reader.ConfigureAwait(false);
        await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        return row(reader);
    }
}
