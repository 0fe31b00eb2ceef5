using System.CommandLine;

namespace HttpResilience.Tool;

/// <summary>What the commands about a configuration have in common.</summary>
internal static class SettingsArguments
{
    internal static Argument<string[]> CreateFiles() => new("files")
    {
        Description = "The configuration of the application: appsettings.json, and further files that override it.",
        HelpName = "FILE",
        Arity = ArgumentArity.OneOrMore,
    };

    internal static Option<string?> CreateEnvironment() => new("--environment")
    {
        Description = "The environment of the host, which decides whether Chaos is allowed. Default: DOTNET_ENVIRONMENT, else Production.",
        HelpName = "NAME",
    };

    internal static string EnvironmentOf(string? asked) => asked ?? Environment.GetEnvironmentVariable("DOTNET_ENVIRONMENT")
        ?? Environment.GetEnvironmentVariable("ASPNETCORE_ENVIRONMENT") ?? "Production";

    /// <summary>The clients that were asked for, or all that have a section.</summary>
    /// <exception cref="ToolException">There is none, or a name is likely to be misspelt.</exception>
    internal static IReadOnlyList<string> ClientsOf(SettingsFiles files, IReadOnlyList<string> asked)
    {
        if (asked.Count == 0)
        {
            return files.Clients is { Count: > 0 } all ? all : throw new ToolException(
                $"{files.Names}: there is no client below {OptionPath.Clients}. Name one that has the settings of {OptionPath.Defaults} "
                + "with --client.");
        }

        foreach (string name in asked)
        {
            bool isThere = files.Clients.Contains(name, StringComparer.OrdinalIgnoreCase);
            if (!isThere && Spelling.Similar(name, files.Clients) is { } similar)
                throw new ToolException($"{files.Names}: there is no section {OptionPath.Clients}:{name}; did you mean {similar}?");
            if (!isThere)
                Output.Say($"{files.Names}: there is no section {OptionPath.Clients}:{name}; what {OptionPath.Defaults} says is in force.");
        }

        return asked;
    }

    /// <summary>The clients that the host of the files has: the others are checked, too.</summary>
    internal static IReadOnlyList<string> Registered(SettingsFiles files, IReadOnlyList<string> names) =>
        [.. names.Union(files.Clients, StringComparer.OrdinalIgnoreCase)];
}
