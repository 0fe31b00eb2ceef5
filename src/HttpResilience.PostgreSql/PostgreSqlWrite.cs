using Npgsql;

namespace HttpResilience;

/// <summary>A change that waits for the <see cref="PostgreSqlWriter"/>.</summary>
internal abstract class PostgreSqlWrite(bool notifies, long due, CancellationToken cancelled) : PendingWrite(due, cancelled)
{
    private int _sent;

    internal bool Notifies => notifies;

    internal bool WasSentBefore => _sent > 1;

    internal void Sending() => _sent++;
}

/// <summary>A change that is a statement of its own.</summary>
internal abstract class PostgreSqlStatement(Func<NpgsqlBatchCommand> command, bool notifies, long due, CancellationToken cancelled)
    : PostgreSqlWrite(notifies, due, cancelled)
{
    internal NpgsqlBatchCommand Command() => command();

    internal abstract Task ReadAsync(NpgsqlDataReader reader);
}

/// <inheritdoc/>
internal sealed class PostgreSqlStatement<T>(
    Func<NpgsqlBatchCommand> command, Func<NpgsqlDataReader, Task<T>> read, bool notifies, long due, CancellationToken cancelled)
    : PostgreSqlStatement(command, notifies, due, cancelled)
{
    internal T Result { get; private set; } = default!;

    internal override async Task ReadAsync(NpgsqlDataReader reader) => Result = await read(reader).ConfigureAwait(false);
}

/// <summary>The changed state of a letter.</summary>
internal sealed class PostgreSqlLetterChange(Func<DeadLetter> letter, bool notifies, long due, CancellationToken cancelled)
    : PostgreSqlWrite(notifies, due, cancelled)
{
    internal DeadLetter Letter() => letter();

    internal bool HasApplied { get; set; }
}

/// <summary>The changes of letters in a group of writes, as one statement: the server plans it, and counts the letters, once.</summary>
internal sealed class PostgreSqlLetterChanges
{
    private readonly Dictionary<Guid, (PostgreSqlLetterChange Change, DeadLetter Letter)> _changes = [];

    /// <returns>One for most groups; more where a letter is changed twice.</returns>
    internal static List<PostgreSqlLetterChanges> Of(IEnumerable<PostgreSqlWrite> writes)
    {
        List<PostgreSqlLetterChanges> statements = [];
        foreach (var change in writes.OfType<PostgreSqlLetterChange>())
        {
            var letter = change.Letter();
            change.HasApplied = false;
            if (!statements.Exists(s => s._changes.TryAdd(letter.Id, (change, letter))))
                statements.Add(new() { _changes = { [letter.Id] = (change, letter) } });
        }

        return statements;
    }

    internal NpgsqlBatchCommand Command(PostgreSqlDatabase database)
    {
        var command = new NpgsqlBatchCommand(database.Sql(PostgreSqlLetter.UpdateAll));
        PostgreSqlLetter.AddChangesTo(command.Parameters, [.. _changes.Values.Select(c => c.Letter)]);
        return command;
    }

    internal async Task ReadAsync(NpgsqlDataReader reader)
    {
        while (await reader.ReadAsync(CancellationToken.None).ConfigureAwait(false))
            _changes[reader.GetGuid(0)].Change.HasApplied = true;
    }
}
