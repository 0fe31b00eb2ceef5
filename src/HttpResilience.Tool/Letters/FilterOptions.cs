using System.CommandLine;
using HttpResilience.Operators;

namespace HttpResilience.Tool;

/// <summary>The words that choose letters, as options.</summary>
internal static class FilterOptions
{
    private static readonly (string Word, string HelpName, string Description)[] Words =
    [
        ("status", "STATUS", $"Several with commas: {string.Join(", ", LetterWords.Statuses)}, {LetterWords.Open}."),
        ("client", "NAME", "The client that sent them."),
        ("tenant", "NAME", "The tenant of the call."),
        ("host", "HOST", "Where they go: api.example.com, or scheme, host and port."),
        ("method", "METHOD", "The method, such as POST."),
        ("class", "CLASS", $"The kind of failure: {string.Join(", ", LetterWords.Classes)}."),
        ("code", "NNN", "The status of the last response."),
        ("text", "TEXT", "A text in what the API said."),
        ("tag", "NAME:VALUE", "A tag of the call, such as docType:invoice."),
        ("since", "TIME", "First failed at this time or later: 2026-11-28T03:10:00Z, or an age such as 24h."),
        ("until", "TIME", "First failed before this time."),
        ("group", "GROUP", "Letters of one cause: 24 digits, as letters groups shows them."),
        ("before", "ID", "Older than this letter: the last one of the page before."),
    ];

    private static readonly (string Word, Option<string?> Option)[] Options = [.. Words.Select(w => (w.Word, Create(w)))];

    internal static IEnumerable<Option> All => Options.Select(o => o.Option);

    /// <summary>Those by which groups can be chosen, whose letters are open.</summary>
    internal static IEnumerable<Option> OfGroups =>
        Options.Where(o => o.Word is not ("status" or "before" or "group")).Select(o => o.Option);

    /// <summary>Those of a job, which has no pages.</summary>
    internal static IEnumerable<Option> OfJobs => Options.Where(o => o.Word is not "before").Select(o => o.Option);

    internal static bool AreGiven(ParseResult parsed) => Options.Any(o => parsed.GetValue(o.Option) is not null);

    /// <param name="statuses">The statuses when none is asked for; null for all.</param>
    /// <exception cref="ToolException">A word is not valid.</exception>
    internal static LetterFilter Parse(ParseResult parsed, DateTimeOffset now, string? statuses = null)
    {
        List<KeyValuePair<string, string>> words = [];
        foreach (var (word, option) in Options)
        {
            if (parsed.GetValue(option) is { } value)
                words.Add(value.Length > 0 ? new(word, value) : throw new ToolException($"--{word} has no value.", ExitCode.Usage));
            else if (word == "status" && statuses is not null)
                words.Add(new(word, statuses));
        }

        var filter = LetterFilter.Parse(words, now);
        return filter.Problems.Count == 0 ? filter : throw new ToolException(
            string.Join('\n', filter.Problems.Select(p => $"--{p.Name}: {p.Message}")), ExitCode.Usage);
    }

    private static Option<string?> Create((string Word, string HelpName, string Description) word)
    {
        var option = new Option<string?>($"--{word.Word}") { Description = word.Description, HelpName = word.HelpName };
        if (word.Word == "status")
            option.CompletionSources.Add([.. LetterWords.Statuses, LetterWords.Open]);
        else if (word.Word == "class")
            option.CompletionSources.Add([.. LetterWords.Classes]);
        return option;
    }
}
