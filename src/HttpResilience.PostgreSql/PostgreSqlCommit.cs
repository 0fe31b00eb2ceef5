using Npgsql;
using static HttpResilience.PostgreSqlLetter;
using static HttpResilience.StoredTypes;

namespace HttpResilience;

/// <summary>Changes of letters, a job and the activity in one transaction of a PostgreSQL database.</summary>
internal sealed class PostgreSqlCommit(PostgreSqlDatabase database, StoredApplication application)
{
    private const string LockSql = """
        SELECT count(*) FROM (
          SELECT FROM http_resilience.dead_letters l JOIN unnest($1, $2) AS n (id, version) ON l.id = n.id AND l.version = n.version
          WHERE l.id = ANY ($1) ORDER BY l.id FOR UPDATE OF l) locked
        """;

    // Of two statements that change the same letters the second waits for the first, and then finds other versions.
    internal async Task<bool> RunAsync(LetterCommit commit, CancellationToken cancellationToken)
    {
        bool mayHaveCommitted = false;
        try
        {
            return await database.RunAsync(
                (connection, tries) => RunAsync(connection, commit, tries, () => mayHaveCommitted = true, cancellationToken),
                cancellationToken).ConfigureAwait(false);
        }
        catch (HttpResilienceStorageException e) when (mayHaveCommitted && !e.MayHaveBeenMade)
        {
            throw new HttpResilienceStorageException(e.Message, e.InnerException) { MayHaveBeenMade = true };
        }
    }

    private async Task<bool> RunAsync(
        NpgsqlConnection connection, LetterCommit commit, int tries, Action committing, CancellationToken cancellationToken)
    {
        var ahead = database.Clock.Ahead;
        // The answer to the first try was lost: it was committed if what it wrote down is there.
        if (tries > 0 && commit.Activity is { } done
            && await PostgreSqlActivityStore.IsThereAsync(connection, database, done.Id, cancellationToken).ConfigureAwait(false))
            return true;
        var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await using var transactionScope = transaction.ConfigureAwait(false);
        bool isCurrent = await AreCurrentAsync(connection, commit.Changed, cancellationToken).ConfigureAwait(false)
            && (commit.Job is not { } job
                || await PostgreSqlJobStore.SaveAsync(connection, database, job, application, cancellationToken).ConfigureAwait(false))
            && (commit.Hold is not { } hold
                || await PostgreSqlCircuitHoldStore.SaveAsync(
                    connection, database, hold, commit.HoldBefore, application, cancellationToken).ConfigureAwait(false))
            && (commit.Pause is not { } pause || await PostgreSqlErrorBudgetStore.SaveAsync(
                connection, database, pause, commit.PauseBefore, application, cancellationToken).ConfigureAwait(false));
        foreach (var letter in isCurrent ? commit.Added : [])
        {
            var row = New(database, application.Owned(letter).At(ahead));
            using var add = new NpgsqlBatch(connection, transaction) { BatchCommands = { row } };
            isCurrent = isCurrent && await add.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is not null;
        }

        if (!isCurrent)
        {
            await transaction.RollbackAsync(cancellationToken).ConfigureAwait(false);
            // The first try may have been committed only while this one waited for it.
            return tries > 0 && commit.Activity is { } made
                && await PostgreSqlActivityStore.IsThereAsync(connection, database, made.Id, cancellationToken).ConfigureAwait(false);
        }

        using var batch = PostgreSqlWriter.Durable(connection);
        batch.Transaction = transaction;
        if (commit.Changed.Count > 0)
        {
            var change = new NpgsqlBatchCommand(database.Sql(UpdateAll));
            AddChangesTo(change.Parameters, [.. commit.Changed.Select(l => l.At(ahead))]);
            batch.BatchCommands.Add(change);
        }

        if (commit.Activity is { } activity)
            batch.BatchCommands.Add(PostgreSqlActivityStore.Add(database, activity, application));
        if (commit.Added.Count > 0 || commit.Changed.Any(l => l.Status is DeadLetterStatus.Pending))
            batch.BatchCommands.Add(new(PostgreSqlArrivals.NotifySql(database)));
        await batch.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        committing();
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        return true;
    }

    private async Task<bool> AreCurrentAsync(
        NpgsqlConnection connection, IReadOnlyList<DeadLetter> letters, CancellationToken cancellationToken)
    {
        if (letters.Count == 0)
            return true;
        using var command = new NpgsqlCommand(database.Sql(LockSql), connection)
        {
            Parameters = { Value(letters.Select(l => l.Id).ToArray()), Value(letters.Select(l => l.Version).ToArray()) },
        };
        return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is long current && current == letters.Count;
    }

    internal static NpgsqlBatchCommand New(PostgreSqlDatabase database, DeadLetter letter)
    {
        var command = new NpgsqlBatchCommand(database.Sql(Add));
        AddTo(command.Parameters, letter);
        return command;
    }
}
