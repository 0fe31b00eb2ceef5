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

    private static readonly Option<Uri?> Url = new("--url")
    {
        Description = $"The API of a running application in place of a store: https://orders.example.com. {ApiClient.Variable} holds the "
            + "token.",
        HelpName = "URL",
        CustomParser = result =>
        {
            if (Uri.TryCreate(result.Tokens.Single().Value, UriKind.Absolute, out var url) && HttpAuthority.IsHttp(url))
                return url;
            result.AddError("--url is not an absolute http or https URL.");
            return null;
        },
    };

    private static readonly Option<string[]> Header = new("--header")
    {
        Description = "With --url, a header field of its requests, such as 'X-Team: orders'; may be repeated.",
        HelpName = "FIELD",
    };

    private static readonly Option<string?> As = new("--as")
    {
        Description = "The person whose deed is written down. Default: the user of the system.",
        HelpName = "NAME",
    };

    /// <summary>For what belongs to an application, whose instances look for it.</summary>
    internal static Option<string?> Application { get; } = new("--application")
    {
        Description = "The application whose instances are meant. Default: the only one that is running on the store.",
        HelpName = "NAME",
    };

    internal static IReadOnlyList<Option> ToRead { get; } = [Store, StoreFile, Schema, Url, Header];

    internal static IReadOnlyList<Option> ToChange { get; } = [.. ToRead, As];

    /// <exception cref="ToolException">It is not named, or not there.</exception>
    internal static LetterSource Open(ParseResult parsed) => parsed.GetValue(Url) is { } url
        ? new LetterApi(new ApiClient(url, parsed.GetValue(Header) ?? [])) : OpenStore(parsed, null);

    /// <summary>Runs a command on the rows of the application that is named, or the only one.</summary>
    internal static Func<ParseResult, LetterSource, CancellationToken, Task<int>> InApplication(
        Func<ParseResult, LetterSource, CancellationToken, Task<int>> run) => (parsed, source, cancellationToken) =>
        JobRun.InApplicationAsync(source, parsed, query: null, store => run(parsed, store, cancellationToken), cancellationToken);

    /// <summary>The store, as an application of this name sees it; null for all.</summary>
    internal static LetterStore OpenStore(ParseResult parsed, string? application) =>
        LetterStore.Open(StoreName.Parse(TextOf(parsed)), parsed.GetValue(Schema), application);

    /// <exception cref="ToolException">There is no name.</exception>
    internal static string PersonOf(ParseResult parsed)
    {
        if (parsed.GetValue(Url) is null)
        {
            return (parsed.GetValue(As) ?? Environment.UserName).Trim() is { Length: > 0 } name ? name
                : throw new ToolException("Who does this? Give --as NAME; it is written down with the deed.", ExitCode.Usage);
        }

        return parsed.GetValue(As) is null ? "the person of the token"
            : throw new ToolException("--as is for stores: with --url the application writes down whose token it is.", ExitCode.Usage);
    }

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
