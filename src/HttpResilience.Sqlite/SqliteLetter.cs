namespace HttpResilience;

/// <summary>The statements that write a dead letter, and the reading of its row.</summary>
internal static class SqliteLetter
{
    internal static readonly string Columns = LetterColumns.Names;

    internal static readonly string ColumnsWithoutBody = LetterColumns.NamesWithoutBody("NULL");

    internal static readonly string Insert =
        $"INSERT INTO dead_letters ({Columns}) VALUES ({string.Join(", ", LetterColumns.All.Select((_, i) => $"?{i + 1}"))})";

    internal static readonly string Update = $"""
        UPDATE dead_letters
        SET version = version + 1, {string.Join(", ", LetterColumns.State.Select((c, i) => $"{c.Name} = ?{i + 1}").Skip(2))}
        WHERE id = ?1 AND version = ?2
        """;

    internal static string Id(Guid id) => id.ToString("D");

    /// <summary>The values of <see cref="Update"/>.</summary>
    internal static object?[] Changes(DeadLetter letter) => [.. LetterColumns.State.Select(c => c.Write(letter))];

    /// <summary>The values of <see cref="Insert"/>.</summary>
    internal static object?[] Values(DeadLetter letter) => [.. LetterColumns.All.Select(c => c.Write(letter))];

    internal static StoredLetter Read(StoredRow row)
    {
        string id = row.GetString(0);
        return StoredLetter.Read(id, () => LetterColumns.Read(row) is var letter && Id(letter.Id) == id ? letter
            : throw new FormatException($"The id '{id}' is not in its usual form, so that no change would find the row."));
    }
}
