using System.CommandLine;

namespace HttpResilience.Tool;

/// <summary>How the commands about letters find their store, and the person who uses them.</summary>
internal static class StoreOptions
{
    private static readonly Option<string?> Store = new("--store")
    {
        Description = $"The SQLite file, or the connection string. Others on the machine can read it here: prefer {StoreName.Variable} or "
            + "--store-file.",
        HelpName = "STORE",
    };

    private static readonly Option<string?> StoreFile = new("--store-file")
    {
        Description = "A file that holds the name of the SQLite file, or the connection string.",
        HelpName = "FILE",
    };

    private static readonly Option<string?> Schema = new("--schema")
    {
        Description = "The schema of a PostgreSQL store. Default: http_resilience.",
        HelpName = "NAME",
    };

    private static readonly Option<string?> As = new("--as")
    {
        Description = "The person whose deed is written down. Default: the user of the system.",
        HelpName = "NAME",
    };

    internal static IReadOnlyList<Option> ToRead { get; } = [Store, StoreFile, Schema];

    internal static IReadOnlyList<Option> ToChange { get; } = [.. ToRead, As];

    /// <exception cref="ToolException">It is not named, or not there.</exception>
    internal static LetterStore Open(ParseResult parsed) => LetterStore.Open(StoreName.Parse(TextOf(parsed)), parsed.GetValue(Schema));

    /// <exception cref="ToolException">There is no name.</exception>
    internal static string PersonOf(ParseResult parsed) =>
        (parsed.GetValue(As) ?? Environment.UserName).Trim() is { Length: > 0 } name ? name
        : throw new ToolException("Who does this? Give --as NAME; it is written down with the deed.", ExitCode.Usage);

    private static string TextOf(ParseResult parsed)
    {
        string? text = parsed.GetValue(StoreFile) is { } file ? Read(file)
            : parsed.GetValue(Store) ?? Environment.GetEnvironmentVariable(StoreName.Variable);
        return !string.IsNullOrWhiteSpace(text) ? text : throw new ToolException(
            $"Which store? Set {StoreName.Variable} to its SQLite file or its PostgreSQL connection string, or give --store-file FILE.",
            ExitCode.Usage);
    }

    private static string Read(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ToolException($"The name of the store cannot be read: {e.Message}", innerException: e);
        }
    }
}
