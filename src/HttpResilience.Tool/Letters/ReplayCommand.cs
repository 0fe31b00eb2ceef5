using System.CommandLine;
using System.Globalization;
using HttpResilience.Operators;

namespace HttpResilience.Tool;

/// <summary><c>letters replay</c>.</summary>
internal static class ReplayCommand
{
    private static readonly Argument<string?> Id = LettersCommand.CreateOptionalId();
    private static readonly Option<int?> First = new("--first")
    {
        Description = "Of the letters of a filter, only so many, the oldest: 1 to see whether it is accepted now.",
        HelpName = "N",
        Validators =
        {
            result =>
            {
                if (result.Tokens.Count == 1
                    && (!int.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, out int first) || first < 1))
                    result.AddError($"--first '{result.Tokens[0].Value}' is not a whole number from 1.");
            },
        },
    };

    private static readonly Option<double> Rate = LetterChange.CreateRate();
    private static readonly Option<bool> Looked = new("--looked")
    {
        Description = "Also letters that may be done twice: I have looked at the API, what they ask for is not there.",
    };

    private static readonly Option<bool> Yes = Question.CreateYes();
    private static readonly Option<bool> Json = LettersCommand.CreateJson();

    internal static Command Create()
    {
        var command = LettersCommand.CreateVerb(
            "replay", "Sends letters again as they are: makes them due, and an instance of the application sends them.", Id,
            [.. FilterOptions.All, LetterChange.All, First, Rate, Looked, LetterChange.IfVersion, Yes, Json, .. StoreOptions.ToChange],
            [
                new("letters replay 019a1f3c-4a2b", "one letter"),
                new("letters replay --group 5d0c8a7be1f24a3390d1c6e2 --first 1", "one of a cause, to see whether it is accepted now"),
                new("letters replay --group 5d0c8a7be1f24a3390d1c6e2 --rate 10 --yes", "all of a cause, 10 a second, without a question"),
            ],
            RunAsync);
        LetterChange.RequireOne(command, Id);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, LetterSource store, CancellationToken cancellationToken)
    {
        string by = StoreOptions.PersonOf(parsed);
        var report = parsed.GetValue(Id) is { } id
            ? await ReplayOneAsync(store, parsed, id, by, cancellationToken).ConfigureAwait(false)
            : await ReplayManyAsync(store, parsed, by, cancellationToken).ConfigureAwait(false);
        int code = BulkChange.Write(report, report.Done == 1 ? "is due and will be sent again" : "are due and will be sent again",
            parsed.GetValue(Json));
        if (report.Done > 0)
            await LetterChange.TellWhoSendsAsync(store, cancellationToken).ConfigureAwait(false);
        return code;
    }

    private static async Task<ChangeReport> ReplayOneAsync(
        LetterSource store, ParseResult parsed, string id, string by, CancellationToken cancellationToken)
    {
        var letter = await LetterChange.FindAsync(store, parsed, id, cancellationToken).ConfigureAwait(false);
        if (LetterRisk.MayBeDoneTwice(letter) && !parsed.GetValue(Looked))
        {
            throw new ToolException(
                $"Letter {letter.Id} may have been processed, and no key keeps the API from doing it twice. Look there first; when it is "
                + "not there, give --looked.");
        }

        await store.Review.ReplayAsync(letter.Id, letter.Version, by, cancellationToken).ConfigureAwait(false);
        return new(1, 0, 0, by);
    }

    private static async Task<ChangeReport> ReplayManyAsync(
        LetterSource store, ParseResult parsed, string by, CancellationToken cancellationToken)
    {
        var filter = FilterOptions.Parse(parsed, store.Time.GetUtcNow(), LetterWords.Open);
        bool looked = parsed.GetValue(Looked);
        var selection = await LetterSelection.CountAsync(
            store, filter, LetterChange.IsOpen, letter => !looked && LetterRisk.MayBeDoneTwice(letter), parsed.GetValue(First),
            cancellationToken).ConfigureAwait(false);
        if (selection.LeftOut > 0)
        {
            Output.Say($"Left out, as they may be done twice: {LetterSelection.Count(selection.LeftOut)}. Look at the API first, then give "
                + "--looked.");
        }

        if (selection.Letters.Count == 0)
            throw new ToolException($"No letter in {store.Shown} that can be sent again fits.");
        double rate = parsed.GetValue(Rate);
        Question.Ask(
            string.Create(CultureInfo.InvariantCulture, $"Send again: {selection.Description}; {rate:0.##} a second."),
            selection.Letters.Count.ToString(CultureInfo.InvariantCulture), parsed.GetValue(Yes));
        return await BulkChange.RunAsync(
            selection, rate, letter => store.Review.ReplayAsync(letter.Id, letter.Version, by, cancellationToken), by, cancellationToken)
            .ConfigureAwait(false);
    }
}
