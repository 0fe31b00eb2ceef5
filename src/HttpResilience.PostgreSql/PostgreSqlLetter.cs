using Npgsql;

namespace HttpResilience;

/// <summary>The statements that write a dead letter, and the reading of its row.</summary>
internal static class PostgreSqlLetter
{
    internal static readonly string Columns = LetterColumns.Names;

    /// <summary>The columns without the body.</summary>
    internal static readonly string ColumnsWithoutBody = LetterColumns.NamesWithoutBody("NULL::bytea");

    /// <summary>The columns of the letter <c>l</c>.</summary>
    internal static readonly string ColumnsOfL = string.Join(", ", LetterColumns.All.Select(c => $"l.{c.Name}"));

    internal static readonly string Add =
        $"INSERT INTO http_resilience.dead_letters ({Columns}) VALUES ({Placeholders(1)}) ON CONFLICT (id) DO NOTHING RETURNING 1";

    internal static readonly string Update = $"""
        UPDATE http_resilience.dead_letters
        SET version = version + 1, {string.Join(", ", LetterColumns.State.Select((c, i) => $"{c.Name} = ${i + 1}").Skip(2))}
        WHERE id = $1 AND version = $2 RETURNING 1
        """;

    /// <summary>
    /// The same for several letters at once, which costs the server little more than one. Returns the ids of those that were changed. An
    /// array, because a join alone may be planned as a search of all letters.
    /// </summary>
    internal static readonly string UpdateAll = $"""
        UPDATE http_resilience.dead_letters l
        SET version = l.version + 1, {string.Join(", ", LetterColumns.State.Skip(2).Select(c => $"{c.Name} = n.{c.Name}"))}
        FROM unnest({string.Join(", ", LetterColumns.State.Select((_, i) => $"${i + 1}"))})
          AS n ({string.Join(", ", LetterColumns.State.Select(c => c.Name))})
        WHERE l.id = ANY ($1) AND l.id = n.id AND l.version = n.version RETURNING l.id
        """;

    /// <summary>The parameters of <see cref="Update"/>.</summary>
    internal static void AddChangesTo(NpgsqlParameterCollection row, DeadLetter letter)
    {
        foreach (var column in LetterColumns.State)
            row.Add(column.Write(letter)!);
    }

    /// <summary>The parameters of <see cref="UpdateAll"/>.</summary>
    internal static void AddChangesTo(NpgsqlParameterCollection rows, IReadOnlyList<DeadLetter> letters)
    {
        foreach (var column in LetterColumns.State)
            rows.Add(column.WriteAll(letters));
    }

    /// <summary>The parameters of <see cref="Add"/>.</summary>
    internal static void AddTo(NpgsqlParameterCollection row, DeadLetter letter)
    {
        foreach (var column in LetterColumns.All)
            row.Add(column.Write(letter)!);
    }

    /// <param name="clock">The difference by which the server's clock is ahead of this process's.</param>
    internal static StoredLetter Read(NpgsqlDataReader row, TimeSpan clock) =>
        StoredLetter.Read(row.GetGuid(0).ToString(), () => LetterColumns.Read(row).At(-clock));

    extension(DeadLetter letter)
    {
        /// <summary>The letter with its due time, or the end of its lease, by a clock that is ahead by this.</summary>
        internal DeadLetter At(TimeSpan ahead) => ahead == TimeSpan.Zero ? letter : letter with { DueAt = letter.DueAt.Plus(ahead) };
    }

    private static string Placeholders(int first) =>
        string.Join(", ", Enumerable.Range(first, LetterColumns.All.Count).Select(i => $"${i}"));
}
