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
        Description = "Of the letters of a filter, only so many, the newest: 1 to see whether it is accepted now.",
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
            [
                .. FilterOptions.OfJobs, LetterChange.All, First, Rate, Looked, LetterChange.IfVersion, Yes, Json, StoreOptions.Application,
                .. StoreOptions.ToChange,
            ],
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
        if (parsed.GetValue(Id) is not { } id)
            return await ReplayManyAsync(store, parsed, by, cancellationToken).ConfigureAwait(false);
        var report = await ReplayOneAsync(store, parsed, id, by, cancellationToken).ConfigureAwait(false);
        int code = report.Write("is due and will be sent again", parsed.GetValue(Json));
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
        return new(1, by);
    }

    private static Task<int> ReplayManyAsync(
        LetterSource source, ParseResult parsed, string by, CancellationToken cancellationToken)
    {
        var query = JobRun.QueryOf(FilterOptions.Parse(parsed, source.Time.GetUtcNow()));
        var request = new LetterJobRequest
        {
            Action = LetterJobAction.Replay,
            Query = query,
            By = by,
            MaxLetters = parsed.GetValue(First),
            PerSecond = parsed.GetValue(Rate),
            IncludesUncertain = parsed.GetValue(Looked),
        };
        return JobRun.InApplicationAsync(source, parsed, query, async store =>
        {
            var job = await JobRun.StartAsync(store, request, parsed.GetValue(Yes), cancellationToken).ConfigureAwait(false);
            job = await JobRun.FollowAsync(store, job, by, cancellationToken).ConfigureAwait(false);
            int code = JobsCommand.Write(job, parsed.GetValue(Json));
            if (job.LeftOut > 0 && !request.IncludesUncertain
                && await JobRun.HasUncertainAsync(store, query, cancellationToken).ConfigureAwait(false))
                Output.Say("What may be done twice is left out: look at the API first, then give --looked.");
            await LetterChange.TellWhoSendsAsync(store, cancellationToken).ConfigureAwait(false);
            return job.State == LetterWords.Of(LetterJobState.Stopped) ? ExitCode.Failed : code;
        }, cancellationToken);
    }
}
