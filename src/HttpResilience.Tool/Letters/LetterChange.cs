using System.CommandLine;
using System.Globalization;

namespace HttpResilience.Tool;

/// <summary>What the commands that change letters have in common.</summary>
internal static class LetterChange
{
    internal static readonly Option<long?> IfVersion = new("--if-version")
    {
        Description = "Only when the letter is at this version, as letters list --json or letters show had it.",
        HelpName = "N",
    };

    internal static readonly Option<bool> All = new("--all") { Description = "Every open letter, when no filter is given." };

    /// <exception cref="ToolException">There is no such letter, or it is at another version.</exception>
    internal static async Task<DeadLetter> FindAsync(
        LetterSource store, ParseResult parsed, string id, CancellationToken cancellationToken)
    {
        var letter = await LetterId.FindAsync(store.Review, id, cancellationToken).ConfigureAwait(false);
        return parsed.GetValue(IfVersion) is { } expected && expected != letter.Version
            ? throw new DeadLetterChangedException(letter) : letter;
    }

    /// <summary>One letter by its id, or a filter: never all by accident, nor both.</summary>
    internal static void RequireOne(ToolCommand command, Argument<string?> id) => command.Validators.Add(result =>
    {
        bool isFilter = FilterOptions.All.Any(option => result.GetResult(option) is { Implicit: false });
        bool isAll = result.GetValue(All);
        if (result.GetValue(id) is not null && (isFilter || isAll))
            result.AddError("Give an id or a filter, not both.");
        else if (result.GetValue(id) is null && !isFilter && !isAll)
            result.AddError("Which letters? Give an id, a filter such as --group, or --all.");
    });

    internal static bool IsOpen(DeadLetter letter) => letter.Status is DeadLetterStatus.Pending or DeadLetterStatus.RequiresReview;

    /// <summary>Says who will send what is due now, or that no process does.</summary>
    internal static async Task TellWhoSendsAsync(LetterSource store, CancellationToken cancellationToken)
    {
        var unreplayed = await store.UnreplayedAsync(cancellationToken).ConfigureAwait(false);
        if (unreplayed.Count == 0)
            Output.Say("An instance of the application that runs AddDeadLetterReplay sends what is due.");
        foreach (var letters in unreplayed)
        {
            string of = letters.Application.Length > 0 ? $" of {letters.Application}" : "";
            Output.Say(letters.ClientName is { } client
                ? $"Warning: no instance that sends letters{of} again has the client {client}. They wait."
                : $"Warning: no instance sends letters{of} again: none runs AddDeadLetterReplay. They wait.");
        }
    }

    internal static Option<double> CreateRate() => new("--rate")
    {
        Description = "How many letters a second become due. 0.1 to 100.",
        HelpName = "N",
        DefaultValueFactory = _ => 5,
        CustomParser = result =>
        {
            string text = result.Tokens.Single().Value;
            if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double rate)
                && rate is >= 0.1 and <= 100)
                return rate;
            result.AddError($"--rate '{text}' is not a number from 0.1 to 100.");
            return 1;
        },
    };
}
