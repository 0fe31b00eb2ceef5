namespace HttpResilience.Storage;

/// <summary>
/// Starts and stops changes of many letters (<see cref="LetterJob"/>), and tells how far they are. A service of
/// <c>AddHttpResilienceStorage</c>.
/// </summary>
public sealed class LetterJobs
{
    // Enough for the causes of any outage; what is beyond is changed, but not counted.
    private const int GroupsCounted = 10_000;

    // Between two of them the job that was in the way may have ended.
    private const int MaxTries = 5;

    private readonly IDeadLetterStore _letters;
    private readonly ILetterJobStore _jobs;
    private readonly TimeProvider _time;

    internal LetterJobs(IDeadLetterStore letters, ILetterJobStore jobs, TimeProvider time) =>
        (_letters, _jobs, _time) = (letters, jobs, time);

    /// <summary>
    /// Starts a job. A process with <c>AddDeadLetterReplay</c> works it off. While a job with the same filter runs, no second one starts.
    /// </summary>
    /// <param name="request">What is to be done.</param>
    /// <param name="id">
    /// The id of the job: a second call with the same id starts none and returns the first. A UUID of version 7. Null for a new one.
    /// </param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The job, or the one that is already there.</returns>
    /// <exception cref="ArgumentException">A value of the request is out of its range.</exception>
    /// <exception cref="HttpResilienceStorageException">The store fails.</exception>
    public async Task<LetterJob> StartAsync(LetterJobRequest request, Guid? id = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentException.ThrowIfNullOrWhiteSpace(request.By);
        if (request.PerSecond is not (>= 0.1 and <= 100))
            throw new ArgumentException($"{nameof(request.PerSecond)} must be from 0.1 to 100.", nameof(request));
        if (request.StopRatio is not (null or (>= 0 and <= 1)))
            throw new ArgumentException($"{nameof(request.StopRatio)} must be from 0 to 1.", nameof(request));
        if (request.MaxLetters < 1)
            throw new ArgumentException($"{nameof(request.MaxLetters)} must be 1 or more.", nameof(request));
        if (request.Action is LetterJobAction.Reopen)
            throw new ArgumentException($"{nameof(ReopenAsync)} reopens what a job has resolved.", nameof(request));

        request = request with { Query = request.Query with { Before = null, OmitBodies = false, Limit = 50 } };
        return await AddAsync(request, id, async () =>
        {
            var groups = await _letters.GroupsAsync(request.Query, GroupsCounted, cancellationToken).ConfigureAwait(false);
            long total = groups.Sum(g => CountOf(g, request.Query.Status));
            return (
                groups.Select(g => g.Newest.Id).DefaultIfEmpty().Max(), request.MaxLetters is { } max ? Math.Min(max, total) : total);
        }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Takes back what a job has resolved, by another job: each letter is again what it was, unless somebody has changed it since.
    /// </summary>
    /// <param name="jobId">The job whose letters are reopened. It has ended, or was stopped.</param>
    /// <param name="by">The person who asks for it.</param>
    /// <param name="id">The id of the new job, as for <see cref="StartAsync"/>.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The new job, or the one that is already there.</returns>
    /// <exception cref="KeyNotFoundException">There is no job with the id.</exception>
    /// <exception cref="InvalidOperationException">The job resolves no letters, or is under way.</exception>
    /// <exception cref="HttpResilienceStorageException">The store fails.</exception>
    public async Task<LetterJob> ReopenAsync(Guid jobId, string by, Guid? id = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(by);
        var job = await _jobs.FindAsync(jobId, cancellationToken).ConfigureAwait(false)
            ?? throw new KeyNotFoundException($"There is no job {jobId}.");
        if (job.Request.Action is not LetterJobAction.Resolve)
            throw new InvalidOperationException($"Job {jobId} cannot be undone: it has marked no letters as dealt with.");
        if (job.State is LetterJobState.Running)
            throw new InvalidOperationException($"Job {jobId} cannot be undone: it is under way. Stop it first.");
        var request = new LetterJobRequest
        {
            Action = LetterJobAction.Reopen,
            Query = new() { JobId = jobId, Status = DeadLetterStatus.Resolved },
            By = by,
            StopRatio = null,
        };
        return await AddAsync(request, id, () => Task.FromResult((job.UpTo, (long)job.Taken)), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>How many open letters match now.</summary>
    /// <param name="query">The filter of a job; its page does not matter.</param>
    /// <param name="cancellationToken">Cancels the count.</param>
    /// <exception cref="HttpResilienceStorageException">The store fails.</exception>
    public async Task<long> CountAsync(DeadLetterQuery query, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        var groups = await _letters.GroupsAsync(query, GroupsCounted, cancellationToken).ConfigureAwait(false);
        return groups.Sum(g => CountOf(g, query.Status));
    }

    private async Task<LetterJob> AddAsync(
        LetterJobRequest request, Guid? id, Func<Task<(Guid UpTo, long Total)>> count, CancellationToken cancellationToken)
    {
        var now = _time.GetUtcNow();
        for (int tries = 0; tries < MaxTries; tries++)
        {
            if (await RunningAsync(request, id, cancellationToken).ConfigureAwait(false) is { } running)
                return running;
            var (upTo, total) = await count().ConfigureAwait(false);
            var job = new LetterJob
            {
                Id = id ?? Guid.CreateVersion7(now),
                Request = request,
                UpTo = upTo,
                CreatedAt = now,
                Total = total,
            };
            var activity = ActivityOf(job, "StartJob", request.By, now) with { Letters = job.Total, Notes = request.Notes };
            if (await _letters.CommitAsync(new() { Job = job, Activity = activity }, cancellationToken).ConfigureAwait(false))
                return await _jobs.FindAsync(job.Id, cancellationToken).ConfigureAwait(false) ?? job;
        }

        throw new HttpResilienceStorageException(
            "A job with this filter is running that this version cannot read. Use the version that started it, or wait until it has "
            + "ended.");
    }

    /// <summary>
    /// Stops a job. Letters that it has made due and that are not being sent yet are again what they were, also those of a job that was
    /// stopped before.
    /// </summary>
    /// <param name="id">The job.</param>
    /// <param name="by">The person who stops it.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The job as it is then.</returns>
    /// <exception cref="KeyNotFoundException">There is no job with the id.</exception>
    /// <exception cref="HttpResilienceStorageException">The store fails.</exception>
    public async Task<LetterJob> StopAsync(Guid id, string by, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(by);
        while (true)
        {
            var job = await _jobs.FindAsync(id, cancellationToken).ConfigureAwait(false)
                ?? throw new KeyNotFoundException($"There is no job {id}.");
            var now = _time.GetUtcNow();
            if (job.State is LetterJobState.Stopped)
                await RestoreWaitingAsync(_letters, job, by, now, cancellationToken).ConfigureAwait(false);
            if (job.State is not LetterJobState.Running)
                return job;
            var stopped = job with { State = LetterJobState.Stopped, EndedAt = now, StopReason = $"Stopped by {by}" };
            var activity = ActivityOf(job, "StopJob", by, now) with { Letters = job.Taken };
            if (!await _letters.CommitAsync(new() { Job = stopped, Activity = activity }, cancellationToken).ConfigureAwait(false))
                continue;
            // First the job, so that it makes no more letters due; and to the end, also when the person does not wait for it.
            await RestoreWaitingAsync(_letters, stopped, by, now, CancellationToken.None).ConfigureAwait(false);
            return stopped with { Version = stopped.Version + 1 };
        }
    }

    /// <summary>The jobs of this application, the newest first.</summary>
    /// <param name="state">Those of this state; null for all.</param>
    /// <param name="limit">How many at most. 1 or more; default 50.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="HttpResilienceStorageException">The store fails.</exception>
    public Task<IReadOnlyList<LetterJob>> ListAsync(
        LetterJobState? state = null, int limit = 50, CancellationToken cancellationToken = default) =>
        _jobs.ListAsync(state, limit, cancellationToken);

    /// <summary>The job with this id; null when there is none.</summary>
    /// <exception cref="HttpResilienceStorageException">The store fails.</exception>
    public Task<LetterJob?> FindAsync(Guid id, CancellationToken cancellationToken = default) => _jobs.FindAsync(id, cancellationToken);

    /// <summary>How far a job is.</summary>
    /// <exception cref="HttpResilienceStorageException">The store fails.</exception>
    public Task<LetterJobProgress> ProgressAsync(Guid id, CancellationToken cancellationToken = default) =>
        _jobs.ProgressAsync(id, withTotals: true, cancellationToken);

    /// <summary>Makes the letters what they were that a job has made due and nobody is sending.</summary>
    internal static async Task RestoreWaitingAsync(
        IDeadLetterStore letters, LetterJob job, string by, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var change = new LetterChange(by, now, job.Id);
        var page = new DeadLetterQuery { JobId = job.Id, Status = DeadLetterStatus.Pending, Limit = 1000, OmitBodies = true };
        while (await letters.ListAsync(page, cancellationToken).ConfigureAwait(false) is { Count: > 0 } waiting)
        {
            // One that a worker claims meanwhile is being sent.
            await Task.WhenAll(waiting
                .Where(l => l.Job is { EndedAt: null } && l.History[^1].JobId == job.Id && LetterChange.WaitsAsRequested(l))
                .Select(l => letters.UpdateAsync(change.Cancelled(l, null)[0], cancellationToken))).ConfigureAwait(false);
            page = page with { Before = waiting[^1].Id };
        }
    }

    private async Task<LetterJob?> RunningAsync(LetterJobRequest request, Guid? id, CancellationToken cancellationToken)
    {
        if (id is { } given && await _jobs.FindAsync(given, cancellationToken).ConfigureAwait(false) is { } first)
            return first;
        var running = await _jobs.ListAsync(LetterJobState.Running, int.MaxValue, cancellationToken).ConfigureAwait(false);
        return running.FirstOrDefault(j => j.Request.Query == request.Query);
    }

    private static long CountOf(DeadLetterGroup group, DeadLetterStatus? status) => status switch
    {
        DeadLetterStatus.RequiresReview => group.RequiresReview,
        DeadLetterStatus.Pending => group.Pending,
        DeadLetterStatus.InProgress => group.InProgress,
        null => group.Count,
        _ => 0,
    };

    private static OperatorActivity ActivityOf(LetterJob job, string action, string by, DateTimeOffset now) => new()
    {
        Id = Guid.CreateVersion7(now),
        At = now,
        By = by,
        Action = action,
        JobId = job.Id,
        ClientName = job.Request.Query.ClientName,
    };
}
