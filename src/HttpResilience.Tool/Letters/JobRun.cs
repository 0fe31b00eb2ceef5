using System.CommandLine;
using System.Globalization;
using HttpResilience.Operators;

namespace HttpResilience.Tool;

/// <summary>A change of many letters as a job, from the question to its end.</summary>
internal static class JobRun
{
    // The API gives no more.
    private const int MaxGroups = 1000;

    private const int ClientsShown = 5, LettersLooked = 1000;

    // A job that is older than this was there before.
    private static readonly TimeSpan ClockDifference = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    /// <summary>The store as the application of the job sees it: jobs belong to one, whose instances look for them.</summary>
    /// <param name="query">Where no application runs, the one of these letters; null for none.</param>
    internal static async Task<int> InApplicationAsync(
        LetterSource source, ParseResult parsed, DeadLetterQuery? query, Func<LetterSource, Task<int>> run,
        CancellationToken cancellationToken)
    {
        if (source is not LetterStore store)
            return await run(source).ConfigureAwait(false);
        var own = StoreOptions.OpenStore(
            parsed,
            parsed.GetValue(StoreOptions.Application) ?? await store.OnlyApplicationAsync(query, cancellationToken).ConfigureAwait(false));
        await using (own.ConfigureAwait(false))
            return await run(own).ConfigureAwait(false);
    }

    /// <exception cref="ToolException">A job takes one status, or all that are open.</exception>
    internal static DeadLetterQuery QueryOf(LetterFilter filter) => filter.Statuses switch
    {
        [] => filter.Query,
        [var one] => filter.Query with { Status = one },
        var all when LetterWords.OpenStatuses.All(all.Contains) => filter.Query,
        _ => throw new ToolException("--status: a job takes one status, or all that are open.", ExitCode.Usage),
    };

    /// <summary>Asks, and starts the job.</summary>
    /// <exception cref="ToolException">There is no such letter, or the answer is no.</exception>
    internal static async Task<JobModel> StartAsync(
        LetterSource store, LetterJobRequest request, bool yes, CancellationToken cancellationToken)
    {
        var groups = (await store.GroupsAsync(request.Query, MaxGroups, cancellationToken).ConfigureAwait(false)).Groups;
        long count = groups.Sum(g => g.CountOf(request.Query.Status));
        if (count == 0)
            throw new ToolException($"No open letter in {store.Shown} fits.");
        long taken = Math.Min(count, request.MaxLetters ?? count);
        var concerned = groups.Where(g => g.CountOf(request.Query.Status) > 0).ToList();
        string of = $"{Number(taken)} of {Letters(count)} of {Causes(concerned.Count)}";
        string clients = string.Join(", ", groups.Select(g => g.Client).Distinct().Order(StringComparer.Ordinal).Take(ClientsShown));
        string oldest = LetterWhen.InFull(concerned.Min(g => g.FirstFailedAt));
        Question.Ask(
            request.Action is LetterJobAction.Resolve
                ? $"Mark as dealt with ({request.Resolution ?? "Resolve"}): {of}, of {clients}, the oldest from {oldest}."
                : string.Create(
                    CultureInfo.InvariantCulture,
                    $"Send again: {of}, of {clients}, the oldest from {oldest}; {request.PerSecond:0.##} a second."),
            taken.ToString(CultureInfo.InvariantCulture), yes);
        var begun = store.Time.GetUtcNow();
        var job = await store.StartJobAsync(request, count, cancellationToken).ConfigureAwait(false);
        if (job.CreatedAt < begun - ClockDifference)
            Output.Say($"A job with this filter is under way since {LetterWhen.InFull(job.CreatedAt)}, by {job.By}.");
        return job;
    }

    /// <summary>
    /// Shows how far it is until it has ended. Where no instance works it off, this process does, unless letters are to be sent.
    /// </summary>
    /// <returns>The job as it is then.</returns>
    internal static async Task<JobModel> FollowAsync(LetterSource store, JobModel job, string by, CancellationToken cancellationToken)
    {
        bool sends = job.Action == LetterWords.Of(LetterJobAction.Replay);
        try
        {
            string? said = null;
            while (job.State == LetterWords.Of(LetterJobState.Running))
            {
                // Each time: an instance that has just stopped counts as there for some seconds more.
                if (await store.HasWorkerAsync(cancellationToken).ConfigureAwait(false))
                {
                    await Task.Delay(LookEvery, store.Time, cancellationToken).ConfigureAwait(false);
                }
                else if (sends || !store.CanWorkOffJobs)
                {
                    Output.Say(
                        $"No instance works off job {job.Id} now. It waits for one that runs AddDeadLetterReplay; "
                        + "jobs stop takes it back.");
                    return job;
                }
                else
                {
                    await store.StepJobAsync(job.Id, cancellationToken).ConfigureAwait(false);
                }

                job = await store.JobAsync(job.Id, cancellationToken).ConfigureAwait(false)
                    ?? throw new ToolException($"Job {job.Id} is gone.");
                if (Progress(job) is var progress && progress != said)
                    Output.Say(said = progress);
            }

            return job;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await InterruptedAsync(store, job.Id, by).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>How far it is, in a line.</summary>
    internal static string Progress(JobModel job)
    {
        string sent = job.Progress is { } p && job.Action == LetterWords.Of(LetterJobAction.Replay)
            ? $"; {Number(p.Waiting)} wait, {Number(p.Accepted)} accepted, {Number(p.Refused)} not accepted" : "";
        // What a stop has put back is none of these any more.
        long putBack = job is { Progress: { } known } && job.State == LetterWords.Of(LetterJobState.Stopped) && sent.Length > 0
            ? job.Taken - known.Waiting - known.Accepted - known.Refused : 0;
        if (putBack > 0)
            sent += $", {Number(putBack)} put back";
        return $"{Number(job.Taken)} of {Number(job.Total)} taken, {Number(job.LeftOut)} left out{sent}";
    }

    /// <summary>Whether a letter of a filter that needs a person may be done twice.</summary>
    internal static async Task<bool> HasUncertainAsync(LetterSource store, DeadLetterQuery query, CancellationToken cancellationToken)
    {
        if (query.Status is not (null or DeadLetterStatus.RequiresReview))
            return false;
        var page = query with { Status = DeadLetterStatus.RequiresReview, Limit = LettersLooked, OmitBodies = true };
        while (true)
        {
            var letters = await store.Review.ListAsync(page, cancellationToken).ConfigureAwait(false);
            if (letters.Any(LetterRisk.MayBeDoneTwice))
                return true;
            if (letters.Count < LettersLooked)
                return false;
            page = page with { Before = letters[^1].Id };
        }
    }

    // The job goes on without this tool: the person says whether that is meant.
    private static async Task InterruptedAsync(LetterSource store, Guid id, string by)
    {
        if (Output.CanAsk)
        {
            await Console.Error.WriteAsync("Stop the job, too? What is not out stays as it was. [y/N] ").ConfigureAwait(false);
            if (Console.In.ReadLine()?.Trim() is "y" or "Y" or "yes")
            {
                await store.StopJobAsync(id, by, CancellationToken.None).ConfigureAwait(false);
                Output.Say($"Job {id} is stopped.");
                return;
            }
        }

        Output.Say($"Job {id} goes on: jobs show {id}; jobs stop {id}");
    }

    internal static string Letters(long count) => count == 1 ? "1 letter" : $"{Number(count)} letters";

    internal static string Causes(long count) => count == 1 ? "1 cause" : $"{Number(count)} causes";

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
