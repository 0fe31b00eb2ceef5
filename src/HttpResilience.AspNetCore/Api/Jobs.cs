using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.AspNetCore;

/// <summary>Changes of many letters.</summary>
internal static class Jobs
{
    private const string Limit = "limit", State = "state";
    private const int MaxJobs = 200, DefaultJobs = 50, MaxNotes = 10_000, MaxResolution = 100;

    internal static async Task ListAsync(ApiCall call)
    {
        int limit = call.Number(Limit, 1, MaxJobs, DefaultJobs);
        if (call.QueryWords.FirstOrDefault(word => word.Key is not (Limit or State)).Key is { } unknown)
            throw ApiProblemException.NotValid(unknown, "There is no such word. Known: state, limit.");
        string? word = call.Context.Request.Query[State];
        LetterJobState? state = string.IsNullOrEmpty(word) ? null
            : LetterWords.TryJobState(word, out var known) ? known
            : throw ApiProblemException.NotValid(State, "It is running, completed or stopped.");
        var jobs = await Of(call).ListAsync(state, limit, call.Reading).ConfigureAwait(false);
        await call.WriteAsync(new([.. jobs.Select(job => JobModel.Of(job))]), OperatorJson.Default.JobList).ConfigureAwait(false);
    }

    internal static async Task FindAsync(ApiCall call)
    {
        var job = await Of(call).FindAsync(IdOf(call), call.Reading).ConfigureAwait(false) ?? throw NoJob(call);
        await WriteAsync(call, job).ConfigureAwait(false);
    }

    internal static async Task StartAsync(ApiCall call)
    {
        var request = await call.ReadAsync(OperatorJson.Default.JobRequest).ConfigureAwait(false);
        if (request.Id is { Version: not 7 })
            throw ApiProblemException.NotValid("id", "It is a UUID of version 7.");
        if (request.Action == LetterWords.Of(LetterJobAction.Reopen))
        {
            await ReopenAsync(call, request).ConfigureAwait(false);
            return;
        }

        if (request.Job is not null)
            throw ApiProblemException.NotValid("job", "It is for the action reopen.");
        var filter = LetterLists.Valid(LetterFilter.Parse(request.Filter ?? new Dictionary<string, string>(), call.Now));
        var query = QueryOf(filter);
        var wanted = RequestOf(request, query, call.By);
        // A second call for the same job gets the first one, whatever has become of its letters.
        bool isThere = request.Id is { } id && await Of(call).FindAsync(id, call.Aborted).ConfigureAwait(false) is not null;
        if (request.Count < 0)
            throw ApiProblemException.NotValid("count", "It is 0 or more.");
        // A request that lost its filter must not send all open letters.
        if (request.Count is null && filter.Words.Count == 0 && !isThere)
            throw ApiProblemException.NotValid("count", "Without a filter it is about all open letters: their number is needed.");
        if (request.Count is { } expected && !isThere)
            await ShouldBeAboutAsync(call, query, expected).ConfigureAwait(false);
        var job = await Of(call).StartAsync(wanted, request.Id, call.Aborted).ConfigureAwait(false);
        await WriteAsync(call, job).ConfigureAwait(false);
    }

    internal static async Task StopAsync(ApiCall call)
    {
        await call.ReadAsync(OperatorJson.Default.StopRequest).ConfigureAwait(false);
        try
        {
            await WriteAsync(call, await Of(call).StopAsync(IdOf(call), call.By, call.Aborted).ConfigureAwait(false)).ConfigureAwait(false);
        }
        catch (KeyNotFoundException)
        {
            throw NoJob(call);
        }
    }

    private static LetterJobs Of(ApiCall call)
    {
        // Says how to turn it on when the application keeps no letters.
        _ = call.Review;
        return call.Context.RequestServices.GetRequiredService<LetterJobs>();
    }

    private static DeadLetterQuery QueryOf(LetterFilter filter)
    {
        if (filter.Query.Before is not null)
            throw ApiProblemException.NotValid("filter.before", "A job has no pages.");
        if (filter.Statuses.Except(LetterWords.OpenStatuses).Any())
            throw ApiProblemException.NotValid("filter.status", "Only open letters can be changed: needs-person, waiting.");
        return filter.Statuses switch
        {
            [] => filter.Query,
            [var one] => filter.Query with { Status = one },
            var all when LetterWords.OpenStatuses.All(all.Contains) => filter.Query,
            _ => throw ApiProblemException.NotValid("filter.status", "A job takes one status, or all that are open."),
        };
    }

    private static LetterJobRequest RequestOf(JobRequest request, DeadLetterQuery query, string by)
    {
        if (!LetterWords.TryJobAction(request.Action ?? "", out var action))
            throw ApiProblemException.NotValid("action", "It is replay, resolve or reopen.");
        if (request.Resolution?.Length > MaxResolution)
            throw ApiProblemException.NotValid("resolution", $"It has at most {MaxResolution} characters.");
        if (request.PerSecond is not (null or (>= 0.1 and <= 100)))
            throw ApiProblemException.NotValid("perSecond", "It is a number from 0.1 to 100.");
        if (request.StopRatio is not (null or (>= 0 and <= 1)))
            throw ApiProblemException.NotValid("stopRatio", "It is a number from 0 to 1.");
        if (request.MaxLetters < 1)
            throw ApiProblemException.NotValid("maxLetters", "It is 1 or more.");
        return request.Notes?.Length > MaxNotes
            ? throw ApiProblemException.NotValid("notes", $"They have at most {MaxNotes} characters.")
            : new()
            {
                Action = action,
                Query = query,
                By = by,
                MaxLetters = request.MaxLetters,
                PerSecond = request.PerSecond ?? 5,
                StopRatio = request.StopRatio ?? 0.5,
                IncludesUncertain = request.IncludesUncertain,
                Notes = request.Notes,
                // An older version cannot read a job that has one.
                Resolution = action is LetterJobAction.Resolve && !string.IsNullOrWhiteSpace(request.Resolution)
                    ? request.Resolution.Trim() : null,
            };
    }

    // What came or went meanwhile may make a tenth of difference; more than that needs another look.
    private static async Task ShouldBeAboutAsync(ApiCall call, DeadLetterQuery query, long expected)
    {
        long found = await Of(call).CountAsync(query, call.Reading).ConfigureAwait(false);
        if (Math.Abs(found - expected) > expected / 10)
            throw new ApiProblemException(new()
            {
                Status = StatusCodes.Status409Conflict,
                Title = $"There are {found} letters now, not {expected}. Nothing was done.",
                Count = found,
            });
    }

    private static async Task ReopenAsync(ApiCall call, JobRequest request)
    {
        if (request.Job is not { } job)
            throw ApiProblemException.NotValid("job", "It is the job that has marked the letters as dealt with.");
        if (request with { Action = null, Job = null, Id = null } != new JobRequest())
            throw ApiProblemException.NotValid("action", "Besides action, reopen has job and id only.");
        try
        {
            await WriteAsync(call, await Of(call).ReopenAsync(job, call.By, request.Id, call.Aborted).ConfigureAwait(false))
                .ConfigureAwait(false);
        }
        catch (KeyNotFoundException)
        {
            throw ApiProblemException.NotValid("job", $"There is no job {job}. Jobs are deleted after 400 days.");
        }
        catch (InvalidOperationException e) when (e is not ObjectDisposedException)
        {
            throw ApiProblemException.Of(StatusCodes.Status409Conflict, $"{e.Message} Nothing was done.");
        }
    }

    private static async Task WriteAsync(ApiCall call, LetterJob job)
    {
        var progress = await ProgressAsync(call, job.Id).ConfigureAwait(false);
        await call.WriteAsync(JobModel.Of(job, progress), OperatorJson.Default.JobModel).ConfigureAwait(false);
    }

    // The job is there, whether or not its letters can be counted in time.
    private static async Task<LetterJobProgress?> ProgressAsync(ApiCall call, Guid id)
    {
        try
        {
            return await Of(call).ProgressAsync(id, call.Reading).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!call.Aborted.IsCancellationRequested)
        {
            return null;
        }
    }

    private static Guid IdOf(ApiCall call) =>
        Guid.TryParseExact(call.Context.Request.RouteValues["id"] as string, "D", out var id) ? id : throw NoJob(call);

    private static ApiProblemException NoJob(ApiCall call) =>
        ApiProblemException.NotFound($"There is no job {call.Context.Request.RouteValues["id"]}.", "Jobs are deleted after 400 days.");
}
