using System.CommandLine;
using HttpResilience.Operators;

namespace HttpResilience.Tool;

/// <summary><c>letters resolve</c>.</summary>
internal static class ResolveCommand
{
    private static readonly Argument<string?> Id = LettersCommand.CreateOptionalId();
    private static readonly Option<string> Action = new("--action")
    {
        Description = "What was done, in a word or two.",
        HelpName = "TEXT",
        DefaultValueFactory = _ => "Dealt with",
        Validators =
        {
            result =>
            {
                if (result.Tokens.Count == 1 && string.IsNullOrWhiteSpace(result.Tokens[0].Value))
                    result.AddError("--action is empty.");
            },
        },
    };

    private static readonly Option<string?> Notes = new("--notes") { Description = "More about it.", HelpName = "TEXT" };
    private static readonly Option<bool> Yes = Question.CreateYes();
    private static readonly Option<bool> Json = LettersCommand.CreateJson();

    internal static Command Create()
    {
        var command = LettersCommand.CreateVerb(
            "resolve", "Marks letters as dealt with in another way. They are not sent again.", Id,
            [
                .. FilterOptions.OfJobs, LetterChange.All, Action, Notes, LetterChange.IfVersion, Yes, Json, StoreOptions.Application,
                .. StoreOptions.ToChange,
            ],
            [
                new("letters resolve 019a1f3c-4a2b --action Credited --notes 2026-00999", "one letter"),
                new("letters resolve --group 5d0c8a7be1f24a3390d1c6e2 --action 'Entered by hand'", "all of a cause; it asks first"),
            ],
            RunAsync);
        LetterChange.RequireOne(command, Id);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, LetterSource store, CancellationToken cancellationToken)
    {
        string by = StoreOptions.PersonOf(parsed);
        var (action, notes) = (parsed.GetValue(Action)!, parsed.GetValue(Notes));
        if (parsed.GetValue(Id) is { } id)
        {
            var letter = await LetterChange.FindAsync(store, parsed, id, cancellationToken).ConfigureAwait(false);
            await store.Review.ResolveAsync(letter.Id, letter.Version, action, notes, by, cancellationToken).ConfigureAwait(false);
            return new ChangeReport(1, by).Write($"is dealt with: {action}", parsed.GetValue(Json));
        }

        var query = JobRun.QueryOf(FilterOptions.Parse(parsed, store.Time.GetUtcNow()));
        var request = new LetterJobRequest
        {
            Action = LetterJobAction.Resolve,
            Query = query,
            By = by,
            Notes = notes,
            Resolution = action,
        };
        return await JobRun.InApplicationAsync(store, parsed, query, async own =>
        {
            var job = await JobRun.StartAsync(own, request, parsed.GetValue(Yes), cancellationToken).ConfigureAwait(false);
            job = await JobRun.FollowAsync(own, job, by, cancellationToken).ConfigureAwait(false);
            int code = JobsCommand.Write(job, parsed.GetValue(Json));
            if (code == ExitCode.Done)
                Output.Say($"To take it back: jobs undo {job.Id}");
            return job.State == LetterWords.Of(LetterJobState.Stopped) ? ExitCode.Failed : code;
        }, cancellationToken).ConfigureAwait(false);
    }
}
