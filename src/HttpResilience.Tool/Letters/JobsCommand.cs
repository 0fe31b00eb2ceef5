using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using HttpResilience.Operators;
using Spectre.Console;

namespace HttpResilience.Tool;

/// <summary><c>jobs</c>: changes of many letters, which the instances of an application work off.</summary>
internal static class JobsCommand
{
    private const int NameLength = 60;

    private static readonly Argument<string> Id = new("id") { Description = "The id of the job.", HelpName = "ID" };
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

    private static readonly Option<bool> Resolve = new("--resolve")
    {
        Description = "Mark them as dealt with, in place of sending them again.",
    };

    private static readonly Option<string?> Notes = new("--notes") { Description = "What is written down.", HelpName = "TEXT" };
    private static readonly Option<int> Limit = LettersCommand.CreateLimit(50, "How many at most.");
    private static readonly Option<bool> Yes = Question.CreateYes();
    private static readonly Option<bool> Json = LettersCommand.CreateJson();

    internal static Command Create() => new Command("jobs", "Changes of many letters, which the instances of an application work off.")
    {
        Verb("list", "Shows jobs, newest first.", null, [Limit, Json, StoreOptions.Application, .. StoreOptions.ToRead],
            new("jobs list", "what is under way, and what was"), ListAsync),
        Verb("show", "Shows how far a job is.", Id, [Json, StoreOptions.Application, .. StoreOptions.ToRead],
            new("jobs show 019a1f3c-4a2b-7d3e-9b1a-3f0c5d7e9a11", "one job"), ShowAsync),
        Verb("start", "Sends the letters of a filter again, also when this tool has ended.", null,
            [
                .. FilterOptions.OfJobs, LetterChange.All, First, Rate, Looked, Resolve, Notes, Yes, Json, StoreOptions.Application,
                .. StoreOptions.ToChange,
            ],
            new("jobs start --group 5d0c8a7be1f24a3390d1c6e2 --rate 10", "all of a cause, 10 a second; it asks first"), StartAsync),
        Verb("stop", "Stops a job. What is not out stays as it was.", Id, [Json, StoreOptions.Application, .. StoreOptions.ToChange],
            new("jobs stop 019a1f3c-4a2b-7d3e-9b1a-3f0c5d7e9a11", "one job"), StopAsync),
        Verb("undo", "Takes back what a job has marked as dealt with: its letters are again what they were.", Id,
            [Json, StoreOptions.Application, .. StoreOptions.ToChange],
            new("jobs undo 019a1f3c-4a2b-7d3e-9b1a-3f0c5d7e9a11", "the letters of one job"), UndoAsync),
    };

    private static ToolCommand Verb(
        string name, string description, Argument? argument, IEnumerable<Option> options, Example example,
        Func<ParseResult, LetterSource, CancellationToken, Task<int>> run)
    {
        var command = LettersCommand.CreateVerb(
            name, description, argument, options, [example], StoreOptions.InApplication(run));
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

    private static async Task<int> ListAsync(ParseResult parsed, LetterSource store, CancellationToken cancellationToken)
    {
        var list = await store.JobsAsync(parsed.GetValue(Limit), cancellationToken).ConfigureAwait(false);
        if (parsed.GetValue(Json))
            Console.WriteLine(JsonSerializer.Serialize(list, OperatorJson.Default.JobList));
        else if (list.Jobs.Count > 0)
            Write(list.Jobs, store.Time.GetUtcNow());
        else
            Output.Say($"There is no job in {store.Shown}.");
        return list.Jobs.Count > 0 ? ExitCode.Done : ExitCode.Failed;
    }

    private static async Task<int> ShowAsync(ParseResult parsed, LetterSource store, CancellationToken cancellationToken) =>
        Write(parsed, await store.JobAsync(IdOf(parsed), cancellationToken).ConfigureAwait(false));

    private static async Task<int> StartAsync(ParseResult parsed, LetterSource store, CancellationToken cancellationToken)
    {
        string by = StoreOptions.PersonOf(parsed);
        var filter = FilterOptions.Parse(parsed, store.Time.GetUtcNow());
        var request = new LetterJobRequest
        {
            Action = parsed.GetValue(Resolve) ? LetterJobAction.Resolve : LetterJobAction.Replay,
            Query = JobRun.QueryOf(filter),
            By = by,
            MaxLetters = parsed.GetValue(First),
            PerSecond = parsed.GetValue(Rate),
            IncludesUncertain = parsed.GetValue(Looked),
            Notes = parsed.GetValue(Notes),
        };
        var job = await JobRun.StartAsync(store, request, parsed.GetValue(Yes), cancellationToken).ConfigureAwait(false);
        int code = Write(parsed, job);
        await LetterChange.TellWhoSendsAsync(store, cancellationToken).ConfigureAwait(false);
        return code;
    }

    private static async Task<int> StopAsync(ParseResult parsed, LetterSource store, CancellationToken cancellationToken) => Write(
        parsed, await store.StopJobAsync(IdOf(parsed), StoreOptions.PersonOf(parsed), cancellationToken).ConfigureAwait(false));

    private static async Task<int> UndoAsync(ParseResult parsed, LetterSource store, CancellationToken cancellationToken)
    {
        string by = StoreOptions.PersonOf(parsed);
        var job = await store.UndoJobAsync(IdOf(parsed), by, cancellationToken).ConfigureAwait(false);
        return Write(parsed, job is null ? null : await JobRun.FollowAsync(store, job, by, cancellationToken).ConfigureAwait(false));
    }

    private static int Write(ParseResult parsed, JobModel? job) => Write(
        job ?? throw new ToolException($"There is no job {parsed.GetValue(Id)}; jobs that have ended are deleted after 400 days."),
        parsed.GetValue(Json));

    /// <summary>Prints a job.</summary>
    internal static int Write(JobModel job, bool json)
    {
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(job, OperatorJson.Default.JobModel));
            return ExitCode.Done;
        }

        Output.Write($"Job {job.Id}: {job.Action}, {StateOf(job)}; by {job.By}, {LetterWhen.InFull(job.CreatedAt)}");
        Output.Write(JobRun.Progress(job));
        return ExitCode.Done;
    }

    private static void Write(IReadOnlyList<JobModel> jobs, DateTimeOffset now)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumn("id").AddColumn("job")
            .AddColumn(new TableColumn("letters").RightAligned()).AddColumn(new TableColumn("begun").RightAligned());
        foreach (var job in jobs)
        {
            string[] cells =
            [
                job.Id.ToString(), $"{job.Action}, {StateOf(job)}\nby {VisibleText.Line(job.By, NameLength)}",
                string.Create(CultureInfo.InvariantCulture, $"{job.Taken:N0} of {job.Total:N0}"), LetterWhen.InList(job.CreatedAt, now),
            ];
            table.AddRow([.. cells.Select(cell => new Text(VisibleText.Of(cell)))]);
        }

        Output.Result.Write(table);
    }

    private static string StateOf(JobModel job) => job.State + (job.StopReason is { } reason ? $": {reason}" : "");

    private static Guid IdOf(ParseResult parsed) => Guid.TryParseExact(parsed.GetValue(Id), "D", out var id) ? id
        : throw new ToolException($"'{parsed.GetValue(Id)}' is not the id of a job, as jobs list shows it.", ExitCode.Usage);
}
