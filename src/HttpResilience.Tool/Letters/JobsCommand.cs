using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using HttpResilience.Operators;
using Spectre.Console;

namespace HttpResilience.Tool;

/// <summary><c>jobs</c>: changes of many letters, which the instances of an application work off.</summary>
internal static class JobsCommand
{
    private const int MaxGroups = 10_000;

    private static readonly Argument<string> Id = new("id") { Description = "The id of the job.", HelpName = "ID" };
    private static readonly Option<string?> Application = new("--application")
    {
        Description = "The application whose instances work the job off. Default: the only one that is running on the store.",
        HelpName = "NAME",
    };

    private static readonly Option<int?> First = new("--first")
    {
        Description = "Only so many letters, the newest: 1 to see whether it is accepted now. 1 or more.",
        HelpName = "N",
    };

    private static readonly Option<double> Rate = LetterChange.CreateRate();
    private static readonly Option<bool> Looked = new("--looked")
    {
        Description = "Also letters that may be done twice: I have looked at the API, what they ask for is not there.",
    };

    private static readonly Option<bool> Resolve = new("--resolve") { Description = "Mark them as dealt with, in place of sending them again." };
    private static readonly Option<string?> Notes = new("--notes") { Description = "What is written down.", HelpName = "TEXT" };
    private static readonly Option<int> Limit = LettersCommand.CreateLimit(50, "How many at most.");
    private static readonly Option<bool> Yes = Question.CreateYes();
    private static readonly Option<bool> Json = LettersCommand.CreateJson();

    internal static Command Create() => new Command("jobs", "Changes of many letters, which the instances of an application work off.")
    {
        Verb("list", "Shows jobs, newest first.", null, [Limit, Json, Application, .. StoreOptions.ToRead],
            new("jobs list", "what is under way, and what was"), ListAsync),
        Verb("show", "Shows how far a job is.", Id, [Json, Application, .. StoreOptions.ToRead],
            new("jobs show 019a1f3c-4a2b-7d3e-9b1a-3f0c5d7e9a11", "one job"), ShowAsync),
        Verb("start", "Sends the letters of a filter again, also when this tool has ended.", null,
            [
                .. FilterOptions.OfJobs, LetterChange.All, First, Rate, Looked, Resolve, Notes, Yes, Json, Application,
                .. StoreOptions.ToChange,
            ],
            new("jobs start --group 5d0c8a7be1f24a3390d1c6e2 --rate 10", "all of a cause, 10 a second; it asks first"), StartAsync),
        Verb("stop", "Stops a job. What is not out stays as it was.", Id, [Json, Application, .. StoreOptions.ToChange],
            new("jobs stop 019a1f3c-4a2b-7d3e-9b1a-3f0c5d7e9a11", "one job"), StopAsync),
    };

    private static ToolCommand Verb(
        string name, string description, Argument? argument, IEnumerable<Option> options, Example example,
        Func<ParseResult, LetterStore, CancellationToken, Task<int>> run)
    {
        var command = LettersCommand.CreateVerb(name, description, argument, options, [example], async (parsed, store, cancellationToken) =>
        {
            string application = parsed.GetValue(Application)
                ?? await store.OnlyApplicationAsync(cancellationToken).ConfigureAwait(false);
            var own = StoreOptions.Open(parsed, application);
            await using (own.ConfigureAwait(false))
                return await run(parsed, own, cancellationToken).ConfigureAwait(false);
        });
        if (name == "start")
        {
            command.Validators.Add(result =>
            {
                if (!result.GetValue(LetterChange.All) && !FilterOptions.OfJobs.Any(o => result.GetResult(o) is { Implicit: false }))
                    result.AddError("Which letters? Give a filter such as --group, or --all.");
                if (result.GetValue(First) < 1)
                    result.AddError("--first is a whole number from 1.");
            });
        }

        return command;
    }

    private static async Task<int> ListAsync(ParseResult parsed, LetterStore store, CancellationToken cancellationToken)
    {
        var jobs = await store.Jobs.ListAsync(null, parsed.GetValue(Limit), cancellationToken).ConfigureAwait(false);
        if (parsed.GetValue(Json))
            Console.WriteLine(JsonSerializer.Serialize(new([.. jobs.Select(j => JobModel.Of(j))]), OperatorJson.Default.JobList));
        else if (jobs.Count > 0)
            Write(jobs, store.Time.GetUtcNow());
        else
            Output.Say($"There is no job in {store.Shown}.");
        return jobs.Count > 0 ? ExitCode.Done : ExitCode.Failed;
    }

    private static async Task<int> ShowAsync(ParseResult parsed, LetterStore store, CancellationToken cancellationToken)
    {
        var job = await store.Jobs.FindAsync(IdOf(parsed), cancellationToken).ConfigureAwait(false) ?? throw NoJob(parsed);
        return await WriteAsync(parsed, store, job, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<int> StartAsync(ParseResult parsed, LetterStore store, CancellationToken cancellationToken)
    {
        string by = StoreOptions.PersonOf(parsed);
        var filter = FilterOptions.Parse(parsed, store.Time.GetUtcNow());
        if (filter.Statuses.Count > 1)
            throw new ToolException("--status: a job takes one status.", ExitCode.Usage);
        var query = filter.Statuses is [var status] ? filter.Query with { Status = status } : filter.Query;
        var request = new LetterJobRequest
        {
            Action = parsed.GetValue(Resolve) ? LetterJobAction.Resolve : LetterJobAction.Replay,
            Query = query,
            By = by,
            MaxLetters = parsed.GetValue(First),
            PerSecond = parsed.GetValue(Rate),
            IncludesUncertain = parsed.GetValue(Looked),
            Notes = parsed.GetValue(Notes),
        };
        var groups = await store.Review.GroupsAsync(query, MaxGroups, cancellationToken).ConfigureAwait(false);
        long count = groups.Sum(g => g.RequiresReview + g.Pending);
        if (count == 0)
            throw new ToolException($"No open letter in {store.Shown} fits.");
        long taken = Math.Min(count, request.MaxLetters ?? count);
        string of = string.Create(CultureInfo.InvariantCulture, $"{taken:N0} of {count:N0} letters of {groups.Count:N0} causes");
        string hosts = string.Join(", ", groups.Select(g => g.Newest.Authority).Distinct().Order(StringComparer.Ordinal).Take(5));
        Question.Ask(
            request.Action is LetterJobAction.Resolve ? $"Mark as dealt with: {of}."
                : string.Create(CultureInfo.InvariantCulture, $"Send again: {of}, to {hosts}; {request.PerSecond} a second."),
            taken.ToString(CultureInfo.InvariantCulture), parsed.GetValue(Yes));
        var job = await store.Jobs.StartAsync(request, null, cancellationToken).ConfigureAwait(false);
        if (job.Request.By != by || job.CreatedAt < store.Time.GetUtcNow().AddMinutes(-1))
            Output.Say($"A job with this filter is under way since {LetterWhen.InFull(job.CreatedAt)}, by {job.Request.By}.");
        int code = await WriteAsync(parsed, store, job, cancellationToken).ConfigureAwait(false);
        await LetterChange.TellWhoSendsAsync(store, cancellationToken).ConfigureAwait(false);
        return code;
    }

    private static async Task<int> StopAsync(ParseResult parsed, LetterStore store, CancellationToken cancellationToken)
    {
        try
        {
            var job = await store.Jobs.StopAsync(IdOf(parsed), StoreOptions.PersonOf(parsed), cancellationToken).ConfigureAwait(false);
            return await WriteAsync(parsed, store, job, cancellationToken).ConfigureAwait(false);
        }
        catch (KeyNotFoundException)
        {
            throw NoJob(parsed);
        }
    }

    private static async Task<int> WriteAsync(ParseResult parsed, LetterStore store, LetterJob job, CancellationToken cancellationToken)
    {
        var progress = await store.Jobs.ProgressAsync(job.Id, cancellationToken).ConfigureAwait(false);
        if (parsed.GetValue(Json))
        {
            Console.WriteLine(JsonSerializer.Serialize(JobModel.Of(job, progress), OperatorJson.Default.JobModel));
            return ExitCode.Done;
        }

        Output.Write($"Job {job.Id}: {LetterWords.Of(job.Request.Action)}, {StateOf(job)}; by {job.Request.By}, {LetterWhen.InFull(job.CreatedAt)}");
        Output.Write(string.Create(
            CultureInfo.InvariantCulture,
            $"{job.Taken:N0} of {job.Total:N0} taken, {job.LeftOut:N0} left out; {progress.Waiting:N0} wait, {progress.Accepted:N0} accepted, {progress.Refused:N0} not accepted"));
        return ExitCode.Done;
    }

    private static void Write(IReadOnlyList<LetterJob> jobs, DateTimeOffset now)
    {
        var table = new Table().Border(TableBorder.Rounded)
            .AddColumn("id").AddColumn("job").AddColumn(new TableColumn("letters").RightAligned()).AddColumn(new TableColumn("begun").RightAligned());
        foreach (var job in jobs)
        {
            table.AddRow(new Text[]
            {
                new(job.Id.ToString()),
                new(VisibleText.Of($"{LetterWords.Of(job.Request.Action)}, {StateOf(job)}\nby {VisibleText.Line(job.Request.By, 60)}")),
                new(string.Create(CultureInfo.InvariantCulture, $"{job.Taken:N0} of {job.Total:N0}")),
                new(LetterWhen.InList(job.CreatedAt, now)),
            });
        }

        Output.Result.Write(table);
    }

    private static string StateOf(LetterJob job) =>
        LetterWords.Of(job.State) + (job.StopReason is { } reason ? $": {reason}" : "");

    private static Guid IdOf(ParseResult parsed) => Guid.TryParseExact(parsed.GetValue(Id), "D", out var id) ? id
        : throw new ToolException($"'{parsed.GetValue(Id)}' is not the id of a job, as jobs list shows it.", ExitCode.Usage);

    private static ToolException NoJob(ParseResult parsed) => new(
        $"There is no job {parsed.GetValue(Id)}; jobs that have ended are deleted after 400 days.");
}
