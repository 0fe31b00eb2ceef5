using System.Globalization;

namespace HttpResilience;

/// <summary>
/// The schema as the steps that lead from an empty file to each version. A released step never changes; a new version adds a step.
/// <c>application_id</c> marks the file as one of HttpResilience, and <c>user_version</c> is the number of steps taken. The one row
/// of <c>schema_version</c> is the lowest number of steps that a program must know to use the result: a step that only adds tables and
/// nullable columns leaves it, so that older programs go on.
/// </summary>
internal sealed class SqliteSchema(params IReadOnlyList<string> steps)
{
    /// <summary>"HtRs".</summary>
    private const int ApplicationId = 0x48745273;

    internal static SqliteSchema Current { get; } = new(
        """
        CREATE TABLE dead_letters (
          id TEXT NOT NULL PRIMARY KEY,
          client_name TEXT NOT NULL,
          authority TEXT NOT NULL,
          method TEXT NOT NULL,
          uri TEXT NOT NULL,
          status TEXT NOT NULL,
          due_at INTEGER NOT NULL,
          version INTEGER NOT NULL,
          failure_class TEXT NOT NULL,
          stop_reason TEXT NOT NULL,
          may_have_been_processed INTEGER NOT NULL,
          status_code INTEGER,
          error_type TEXT,
          error_title TEXT,
          error_detail TEXT,
          attempts INTEGER NOT NULL,
          replays INTEGER NOT NULL,
          first_failed_at INTEGER NOT NULL,
          last_failed_at INTEGER NOT NULL,
          idempotency_key TEXT,
          tenant TEXT,
          tags TEXT NOT NULL,
          suggested_action TEXT,
          resolution_action TEXT,
          resolution_notes TEXT,
          resolution_by TEXT,
          resolution_at INTEGER,
          replaces TEXT,
          replaced_by TEXT,
          headers TEXT NOT NULL,
          body_is_missing INTEGER NOT NULL,
          body BLOB
        ) STRICT;
        CREATE INDEX dead_letters_to_claim ON dead_letters (client_name, authority, due_at, id) WHERE status IN ('Pending', 'InProgress');
        CREATE INDEX dead_letters_pending ON dead_letters (due_at) WHERE status = 'Pending';
        CREATE INDEX dead_letters_by_status ON dead_letters (status, id);
        CREATE INDEX dead_letters_done ON dead_letters (last_failed_at) WHERE status IN ('Replayed', 'Resolved', 'Resubmitted');

        CREATE TABLE remembered_calls (
          client_name TEXT NOT NULL,
          key TEXT NOT NULL,
          fingerprint TEXT NOT NULL,
          owner TEXT NOT NULL,
          begun_at INTEGER NOT NULL,
          lease_until INTEGER NOT NULL,
          is_in_doubt INTEGER NOT NULL,
          expires_at INTEGER,
          status_code INTEGER,
          reason_phrase TEXT,
          headers TEXT,
          body BLOB,
          PRIMARY KEY (client_name, key)
        ) STRICT;
        CREATE INDEX remembered_calls_to_expire ON remembered_calls (expires_at) WHERE expires_at IS NOT NULL;

        CREATE TABLE fallback_responses (
          client_name TEXT NOT NULL,
          resource TEXT NOT NULL,
          variant TEXT NOT NULL,
          received_at INTEGER NOT NULL,
          initial_age INTEGER NOT NULL,
          expires_at INTEGER NOT NULL,
          size INTEGER NOT NULL,
          status_code INTEGER NOT NULL,
          reason_phrase TEXT,
          headers TEXT NOT NULL,
          body BLOB NOT NULL,
          PRIMARY KEY (client_name, resource, variant)
        ) STRICT;
        CREATE INDEX fallback_responses_by_time ON fallback_responses (client_name, received_at, size);
        CREATE INDEX fallback_responses_to_expire ON fallback_responses (expires_at);

        CREATE TABLE checkpoints (
          name TEXT NOT NULL PRIMARY KEY,
          owner TEXT NOT NULL,
          lease_until INTEGER NOT NULL,
          position INTEGER NOT NULL,
          done TEXT NOT NULL
        ) STRICT;
        CREATE TABLE checkpoint_failures (
          name TEXT NOT NULL,
          record_index INTEGER NOT NULL,
          failure_class TEXT NOT NULL,
          error TEXT NOT NULL,
          error_type TEXT,
          status_code INTEGER,
          idempotency_key TEXT,
          tenant TEXT,
          tags TEXT NOT NULL,
          dead_letter_id TEXT,
          failed_at INTEGER NOT NULL,
          attempts INTEGER NOT NULL,
          PRIMARY KEY (name, record_index)
        ) STRICT;

        CREATE TABLE error_budget_counts (
          client_name TEXT NOT NULL,
          period INTEGER NOT NULL,
          version TEXT NOT NULL,
          failure_class TEXT NOT NULL,
          calls INTEGER NOT NULL,
          PRIMARY KEY (client_name, period, version, failure_class)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX error_budget_counts_by_period ON error_budget_counts (period);
        CREATE TABLE error_budget_writers (
          writer TEXT NOT NULL PRIMARY KEY,
          sequence INTEGER NOT NULL,
          saved_at INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE error_budget_pauses (
          client_name TEXT NOT NULL PRIMARY KEY,
          is_paused INTEGER NOT NULL,
          changed_by TEXT,
          changed_at INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE deployed_versions (
          version TEXT NOT NULL PRIMARY KEY,
          first_seen_at INTEGER NOT NULL,
          last_started_at INTEGER NOT NULL
        ) STRICT;
        """,
        // Processes of version 1 that still run write rows without the new columns, and claim with the first columns of the index.
        """
        ALTER TABLE dead_letters ADD COLUMN application TEXT NOT NULL DEFAULT '';
        ALTER TABLE dead_letters ADD COLUMN takeovers INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE dead_letters ADD COLUMN original_uri TEXT;
        ALTER TABLE dead_letters ADD COLUMN http_version TEXT;
        ALTER TABLE dead_letters ADD COLUMN http_version_policy TEXT;
        ALTER TABLE dead_letters ADD COLUMN idempotency_header_name TEXT;
        DROP INDEX dead_letters_to_claim;
        CREATE INDEX dead_letters_to_claim ON dead_letters (client_name, authority, application, due_at, id)
          WHERE status IN ('Pending', 'InProgress');

        DROP INDEX dead_letters_by_status;
        CREATE INDEX dead_letters_by_status ON dead_letters (status, id, application);

        CREATE TABLE instances (
          id TEXT NOT NULL PRIMARY KEY,
          application TEXT NOT NULL,
          name TEXT NOT NULL,
          version TEXT,
          replays INTEGER NOT NULL,
          replays_for TEXT NOT NULL,
          clients TEXT NOT NULL,
          started_at INTEGER NOT NULL,
          seen_at INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX instances_by_time ON instances (seen_at);

        CREATE TABLE schema_version (lowest_reader INTEGER NOT NULL) STRICT;
        INSERT INTO schema_version VALUES (2);
        """,
        // Processes of version 2 that still run write rows without the new columns. Settled letters are kept for ever by default in
        // a store that began with an older version; the setting is the version before this step.
        """
        ALTER TABLE dead_letters ADD COLUMN left_out TEXT;
        ALTER TABLE dead_letters ADD COLUMN protected_with TEXT;
        CREATE INDEX dead_letters_without_key ON dead_letters (status, protected_with)
          WHERE status = 'RequiresReview' AND suggested_action = 'key ' || protected_with || ' is missing';
        CREATE INDEX dead_letters_done_by_client ON dead_letters (client_name, last_failed_at)
          WHERE status IN ('Replayed', 'Resolved', 'Resubmitted');
        DROP INDEX dead_letters_pending;
        CREATE INDEX dead_letters_pending ON dead_letters (application, due_at) WHERE status = 'Pending';

        -- Kept by triggers, also for the writes of older processes: a count does not look through the letters.
        CREATE TABLE letter_counts (
          application TEXT NOT NULL,
          status TEXT NOT NULL,
          letters INTEGER NOT NULL,
          PRIMARY KEY (application, status)
        ) STRICT, WITHOUT ROWID;
        INSERT INTO letter_counts SELECT application, status, count(*) FROM dead_letters GROUP BY application, status;
        CREATE TRIGGER letter_added AFTER INSERT ON dead_letters BEGIN
          INSERT INTO letter_counts VALUES (new.application, new.status, 1)
          ON CONFLICT (application, status) DO UPDATE SET letters = letters + 1;
        END;
        CREATE TRIGGER letter_deleted AFTER DELETE ON dead_letters BEGIN
          UPDATE letter_counts SET letters = letters - 1 WHERE application = old.application AND status = old.status;
        END;
        CREATE TRIGGER letter_changed AFTER UPDATE OF status, application ON dead_letters
        WHEN old.status <> new.status OR old.application <> new.application BEGIN
          UPDATE letter_counts SET letters = letters - 1 WHERE application = old.application AND status = old.status;
          INSERT INTO letter_counts VALUES (new.application, new.status, 1)
          ON CONFLICT (application, status) DO UPDATE SET letters = letters + 1;
        END;

        CREATE TABLE incidents (
          application TEXT NOT NULL,
          key TEXT NOT NULL,
          version INTEGER NOT NULL,
          alert TEXT NOT NULL,
          sender TEXT NOT NULL,
          lease_until INTEGER NOT NULL,
          sent_at INTEGER,
          seen_by TEXT NOT NULL,
          changed_at INTEGER NOT NULL,
          PRIMARY KEY (application, key)
        ) STRICT;

        CREATE TABLE settings (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT;
        INSERT INTO settings SELECT 'first_schema_version', CASE user_version WHEN 0 THEN 3 ELSE user_version END FROM pragma_user_version;
        """,
        // Processes of version 3 that still run write rows without the new column; CompleteAsync fills it.
        """
        ALTER TABLE dead_letters ADD COLUMN fingerprint TEXT;
        CREATE INDEX dead_letters_by_cause ON dead_letters (status, fingerprint, application, first_failed_at, last_failed_at)
          WHERE status IN ('Pending', 'InProgress', 'RequiresReview');
        CREATE INDEX dead_letters_of_cause ON dead_letters (fingerprint, id);
        """,
        // Processes of version 4 that still run change letters and leave the new columns as they are.
        """
        ALTER TABLE dead_letters ADD COLUMN history TEXT;
        ALTER TABLE dead_letters ADD COLUMN job_id TEXT;
        ALTER TABLE dead_letters ADD COLUMN job_accepted INTEGER;
        ALTER TABLE dead_letters ADD COLUMN job_ended_at INTEGER;
        CREATE INDEX dead_letters_of_job ON dead_letters (job_id, job_ended_at, job_accepted, status) WHERE job_id IS NOT NULL;

        CREATE TABLE letter_jobs (
          id TEXT NOT NULL PRIMARY KEY,
          version INTEGER NOT NULL,
          state TEXT NOT NULL,
          position TEXT,
          taken INTEGER NOT NULL,
          left_out INTEGER NOT NULL,
          ended_at INTEGER,
          stop_reason TEXT,
          application TEXT NOT NULL,
          request TEXT NOT NULL,
          up_to TEXT NOT NULL,
          created_at INTEGER NOT NULL,
          total INTEGER NOT NULL,
          subject TEXT NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX letter_jobs_running ON letter_jobs (application, subject) WHERE state = 'Running';
        CREATE INDEX letter_jobs_by_state ON letter_jobs (application, state, id);
        CREATE INDEX letter_jobs_ended ON letter_jobs (ended_at) WHERE ended_at IS NOT NULL;

        CREATE TABLE operator_activity (
          application TEXT NOT NULL,
          id TEXT NOT NULL PRIMARY KEY,
          at INTEGER NOT NULL,
          done_by TEXT NOT NULL,
          action TEXT NOT NULL,
          letter_id TEXT,
          job_id TEXT,
          client_name TEXT,
          letters INTEGER NOT NULL,
          notes TEXT
        ) STRICT;
        CREATE INDEX operator_activity_by_application ON operator_activity (application, id);
        CREATE INDEX operator_activity_by_time ON operator_activity (at);
        """,
        // Processes of version 5 that still run write rows without the new columns, pause clients without a note, and save the progress of
        // a batch without its times: note_at and run_owner show which rows those are.
        """
        ALTER TABLE instances ADD COLUMN report TEXT;
        CREATE TABLE circuit_holds (
          application TEXT NOT NULL,
          client_name TEXT NOT NULL,
          authority TEXT NOT NULL,
          tenant TEXT NOT NULL,
          is_held INTEGER NOT NULL,
          changed_by TEXT NOT NULL,
          note TEXT,
          changed_at INTEGER NOT NULL,
          PRIMARY KEY (application, client_name, authority, tenant)
        ) STRICT;
        ALTER TABLE error_budget_pauses ADD COLUMN note TEXT;
        ALTER TABLE error_budget_pauses ADD COLUMN note_at INTEGER;
        ALTER TABLE instances ADD COLUMN pausable_clients TEXT;
        ALTER TABLE checkpoints ADD COLUMN begun_at INTEGER;
        ALTER TABLE checkpoints ADD COLUMN run_owner TEXT;
        ALTER TABLE checkpoints ADD COLUMN run_begun_at INTEGER;
        ALTER TABLE checkpoints ADD COLUMN run_begun_with INTEGER;
        ALTER TABLE checkpoints ADD COLUMN run_saved_at INTEGER;
        ALTER TABLE checkpoints ADD COLUMN run_total INTEGER;
        ALTER TABLE checkpoints ADD COLUMN run_instance TEXT;
        """);

    internal IReadOnlyList<string> Steps => steps;

    /// <summary>Creates the schema or updates an older one. A file of another application is rejected before anything is changed.</summary>
    internal void Prepare(SqliteSession session, string path)
    {
        bool isReady = VersionOf(session, path) >= steps.Count;
        // The mode is kept in the file; setting it again undoes a manual change.
        session.Execute("PRAGMA journal_mode = WAL");
        if (isReady)
            return;

        session.Execute("BEGIN IMMEDIATE");
        // Another process may have done it while this one waited for the lock, also one of a newer version.
        int before = VersionOf(session, path);
        for (int version = before; version < steps.Count; version++)
            session.Execute(steps[version]);
        if (before < steps.Count)
            session.Execute(string.Create(
                CultureInfo.InvariantCulture, $"PRAGMA application_id = {ApplicationId}; PRAGMA user_version = {steps.Count}"));
        session.Execute("COMMIT");
    }

    private int VersionOf(SqliteSession session, string path)
    {
        long application, version, objects, lowestReader;
        // One transaction reads all, because another process may be creating the schema.
        session.Execute("SAVEPOINT look");
        try
        {
            application = session.Scalar<long>("PRAGMA application_id");
            version = session.Scalar<long>("PRAGMA user_version");
            objects = session.Scalar<long>("SELECT count(*) FROM sqlite_schema");
            lowestReader = application == ApplicationId && version > steps.Count
                ? session.Scalar<long>("SELECT lowest_reader FROM schema_version") : 0;
        }
        finally
        {
            session.Execute("RELEASE look");
        }

        if (application == 0 && version == 0 && objects == 0)
            return 0;
        if (application != ApplicationId)
            throw new HttpResilienceStorageException(
                $"The SQLite database {path} is not one of HttpResilience (application_id {application}, {objects} tables and indexes): "
                + "nothing was changed; choose another path.");
        if (lowestReader > steps.Count)
            throw new HttpResilienceStorageException(
                $"The SQLite database {path} has schema version {version}, and this version of HttpResilience.Sqlite knows {steps.Count}: "
                + "nothing was changed; update the package.");
        return (int)version;
    }
}
