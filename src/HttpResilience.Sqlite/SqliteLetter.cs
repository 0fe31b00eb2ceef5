using Microsoft.Data.Sqlite;

namespace HttpResilience;

/// <summary>The statements that write a dead letter, and the reading of its row.</summary>
internal static class SqliteLetter
{
    internal static readonly string Columns = LetterColumns.Names;

    internal static readonly string ColumnsWithoutBody = LetterColumns.NamesWithoutBody("NULL");

    internal static readonly string Insert =
        $"INSERT INTO dead_letters ({Columns}) VALUES ({string.Join(", ", LetterColumns.All.Select(c => $"@{c.Name}"))})";

    internal static readonly string Update = $"""
        UPDATE dead_letters SET version = version + 1, {string.Join(", ", LetterColumns.State.Skip(2).Select(c => $"{c.Name} = @{c.Name}"))}
        WHERE id = @id AND version = @version
        """;

    internal static string Id(Guid id) => id.ToString("D");

    /// <summary>The parameters of <see cref="Update"/>.</summary>
    internal static (string, object?)[] Changes(DeadLetter letter) => [.. LetterColumns.State.Select(c => ($"@{c.Name}", c.Write(letter)))];

    /// <summary>The parameters of <see cref="Insert"/>.</summary>
    internal static (string, object?)[] Parameters(DeadLetter letter) =>
        [.. LetterColumns.All.Select(c => ($"@{c.Name}", c.Write(letter)))];

    internal static StoredLetter Read(SqliteDataReader row)
    {
        string id = row.GetString(0);
        return StoredLetter.Read(id, () => LetterColumns.Read(row) is var letter && Id(letter.Id) == id ? letter
            : throw new FormatException($"The id '{id}' is not in its usual form, so that no change would find the row."));
    }
}
