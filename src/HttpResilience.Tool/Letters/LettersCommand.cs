using System.CommandLine;
using System.Globalization;

namespace HttpResilience.Tool;

/// <summary><c>letters</c>: requests that failed for good and are kept.</summary>
internal static class LettersCommand
{
    internal static Command Create() => new Command("letters", "Requests that failed for good and are kept in the store.")
    {
        ListCommand.Create(), GroupsCommand.Create(), ShowCommand.Create(), EditCommand.Create(), ReplayCommand.Create(),
        ResolveCommand.Create(), UndoCommand.CreateReopen(), UndoCommand.CreateCancel(), PurgeCommand.Create(), ExportCommand.Create(),
    };

    internal static Argument<string> CreateId() => new("id") { Description = "The id of the letter, or its beginning.", HelpName = "ID" };

    internal static Argument<string?> CreateOptionalId() => new("id")
    {
        Description = "The id of one letter, or its beginning. Without it, the letters that a filter chooses.",
        HelpName = "ID",
        Arity = ArgumentArity.ZeroOrOne,
    };

    internal static Option<bool> CreateJson() => new("--json") { Description = "Print JSON." };

    internal static Option<int> CreateLimit(int fallback, string description) => new("--limit")
    {
        Description = $"{description} 1 to 1000.",
        HelpName = "N",
        DefaultValueFactory = _ => fallback,
        Validators =
        {
            result =>
            {
                if (result.Tokens.Count == 1
                    && (!int.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, out int limit) || limit is < 1 or > 1000))
                    result.AddError($"--limit '{result.Tokens[0].Value}' is not a whole number from 1 to 1000.");
            },
        },
    };

    /// <summary>A command about letters.</summary>
    internal static ToolCommand CreateVerb(
        string name, string description, Argument? argument, IEnumerable<Option> options, IReadOnlyList<Example> examples,
        Func<ParseResult, LetterSource, CancellationToken, Task<int>> run)
    {
        var command = new ToolCommand(name, description)
        {
            Examples = examples,
            Run = async (parsed, cancellationToken) =>
            {
                var store = StoreOptions.Open(parsed);
                await using (store.ConfigureAwait(false))
                    return await run(parsed, store, cancellationToken).ConfigureAwait(false);
            },
        };
        if (argument is not null)
            command.Add(argument);
        foreach (var option in options)
            command.Add(option);
        return command;
    }
}
