using System.Data.Common;

namespace HttpResilience.Tool;

/// <summary>The store of the letters: a SQLite file or a PostgreSQL database.</summary>
/// <param name="Provider">Adds it to a container.</param>
/// <param name="Shown">How it is called in sentences: without credentials.</param>
internal sealed record StoreName(Action<HttpResilienceStorageBuilder> Provider, string Shown)
{
    internal const string Variable = "HTTP_RESILIENCE_STORE";

    /// <param name="text">A path, or a connection string of Microsoft.Data.Sqlite or Npgsql.</param>
    /// <exception cref="ToolException">It is neither, or there is no such file.</exception>
    internal static StoreName Parse(string text)
    {
        text = text.Trim();
        if (text.StartsWith("postgres://", StringComparison.OrdinalIgnoreCase)
            || text.StartsWith("postgresql://", StringComparison.OrdinalIgnoreCase))
        {
            throw new ToolException(
                "The store is named by a URI; write it as a connection string: Host=…;Database=…;Username=…;Password=….",
                ExitCode.Usage);
        }

        if (!text.Contains('=', StringComparison.Ordinal) || File.Exists(text))
            return Sqlite(text);
        var parts = new DbConnectionStringBuilder();
        try
        {
            parts.ConnectionString = text;
        }
        catch (ArgumentException)
        {
            // Not the exception's text: it has parts of the connection string, which may be a password.
            throw new ToolException("The store is neither a file nor a connection string.", ExitCode.Usage);
        }

        if (Find(parts, "Host", "Server") is { } host)
        {
            string database = Find(parts, "Database", "DB") ?? "default database";
            return new(storage => storage.UsePostgreSql(text), $"PostgreSQL, {database} on {host}");
        }

        return Find(parts, "Data Source", "DataSource", "Filename") is { } file ? Sqlite(file)
            : throw new ToolException(
                "The store is neither a file nor a connection string with Host= (PostgreSQL) or Data Source= (SQLite).", ExitCode.Usage);
    }

    // The store would create a file that is not there, and it would have no letters.
    private static StoreName Sqlite(string file) => File.Exists(file)
        ? new(storage => storage.UseSqlite(new DbConnectionStringBuilder { ["Data Source"] = file }.ConnectionString), file)
        : throw new ToolException($"There is no SQLite file {file}.", ExitCode.StoreAway);

    private static string? Find(DbConnectionStringBuilder parts, params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            if (parts.TryGetValue(name, out object? value) && $"{value}" is { Length: > 0 } text)
                return text;
        }

        return null;
    }
}
