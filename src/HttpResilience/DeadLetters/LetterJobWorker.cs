using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>
/// Works off the jobs of the store: makes the letters due whose turn comes within the next 10 seconds, which the replay worker then sends.
/// Any number of processes may do so at once, because of two steps of a job only one is committed.
/// </summary>
internal sealed partial class LetterJobWorker(
    IDeadLetterStore store, ILetterJobStore jobs, Func<string, bool> isPaused, TimeProvider time, ILogger<LetterJobWorker> logger)
    : DetachedWorker
{
    internal static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    // Letters that were being sent when a job was stopped are returned within this time, or with the end of a pause much later.
    private static readonly TimeSpan StoppedFor = TimeSpan.FromHours(1);

    private const int StoppedLooked = 20;

    private bool _fails;

    internal static void AddTo(IServiceCollection services)
    {
        services.AddSingleton(provider => new LetterJobWorker(
            provider.GetRequiredService<IDeadLetterStore>(), provider.GetRequiredService<ILetterJobStore>(),
            name => provider.ResilientClients.Any(c => c.Name == name && c.Observers?.IsPaused(c) is true),
            provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<LetterJobWorker>>()));
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<LetterJobWorker>());
    }

    protected override async Task WorkAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            try
            {
                foreach (var job in await jobs.ListAsync(LetterJobState.Running, int.MaxValue, stoppingToken).ConfigureAwait(false))
                    await TryAsync(job, StepAsync, stoppingToken).ConfigureAwait(false);
                foreach (var job in await jobs.ListAsync(LetterJobState.Stopped, StoppedLooked, stoppingToken).ConfigureAwait(false))
                    await TryAsync(job, RestoreAsync, stoppingToken).ConfigureAwait(false);
                _fails = false;
            }
            catch (Exception e) when (e is HttpResilienceStorageException || !stoppingToken.IsCancellationRequested)
            {
                if (!_fails)
                    Failed(logger, e);
                _fails = true;
            }
        }
    }

    // One that fails, such as for a filter that takes too long, leaves the others.
    private async Task TryAsync(LetterJob job, Func<LetterJob, CancellationToken, Task> act, CancellationToken cancellationToken)
    {
        try
        {
            await act(job, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            JobFailed(logger, e, job.Id);
        }
    }

    /// <summary>
    /// Makes letters what they were that a stopped job has left due: whoever stopped it may have ended, and letters that were being sent
    /// may have been returned.
    /// </summary>
    internal async Task RestoreAsync(LetterJob job, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (job.EndedAt < now - StoppedFor
            || (await jobs.ProgressAsync(job.Id, withTotals: false, cancellationToken).ConfigureAwait(false)).Waiting == 0)
            return;
        await LetterJobs.RestoreWaitingAsync(store, job, job.Request.By, now, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Takes the next letters of a job, or ends it. Another process may do the same: then nothing is changed here.</summary>
    internal async Task StepAsync(LetterJob job, CancellationToken cancellationToken)
    {
        if (job.State is not LetterJobState.Running)
            return;
        var progress = job.Request.Action is not LetterJobAction.Replay ? new(0, 0, 0, [])
            : await jobs.ProgressAsync(job.Id, withTotals: false, cancellationToken).ConfigureAwait(false);
        var decision = LetterJobDecision.Of(job, progress, isExhausted: false);
        IReadOnlyList<DeadLetter> page = [];
        if (decision is { State: LetterJobState.Running, Take: > 0 and var take })
        {
            // A change leaves the body as it is.
            var before = job.Position ?? LetterJobDecision.After(job.UpTo);
            page = await store.ListAsync(job.Request.Query with { Before = before, Limit = take, OmitBodies = true }, cancellationToken)
                .ConfigureAwait(false);
            if (page.Count == 0)
                decision = LetterJobDecision.Of(job, progress, isExhausted: true);
        }

        var looked = page.Count > 0 || progress.Waiting == 0 ? page : await store.ListAsync(
            new() { JobId = job.Id, Status = DeadLetterStatus.Pending, Limit = 1, OmitBodies = true }, cancellationToken)
            .ConfigureAwait(false);
        if (decision.State is LetterJobState.Running && PausedClientIn(job, looked) is { } client)
            decision = new(0, LetterJobState.Stopped, $"Client {client} is paused");

        if (decision.State is not LetterJobState.Running)
            await EndAsync(job, decision, cancellationToken).ConfigureAwait(false);
        else if (page.Count > 0)
            await TakeAsync(job, progress, page, cancellationToken).ConfigureAwait(false);
    }

    private Task<bool> TakeAsync(
        LetterJob job, LetterJobProgress progress, IReadOnlyList<DeadLetter> page, CancellationToken cancellationToken)
    {
        var change = new LetterChange(job.Request.By, time.GetUtcNow(), job.Id);
        DeadLetter[] taken = [.. page.Where(l => LetterJobRules.MayTake(job, l))
            .Select((letter, i) => LetterJobRules.Changed(job, letter, change, progress.Waiting + i))];
        return store.CommitAsync(new()
        {
            Changed = taken,
            Job = job with
            {
                Position = page[^1].Id,
                Taken = job.Taken + taken.Length,
                LeftOut = job.LeftOut + page.Count(l => LetterJobRules.LeavesOut(job, l)),
            },
        }, cancellationToken);
    }

    private string? PausedClientIn(LetterJob job, IReadOnlyList<DeadLetter> letters) =>
        job.Request.Action is LetterJobAction.Replay ? letters.FirstOrDefault(l => isPaused(l.ClientName))?.ClientName : null;

    private async Task EndAsync(LetterJob job, LetterJobDecision decision, CancellationToken cancellationToken)
    {
        var ended = job with { State = decision.State, StopReason = decision.StopReason, EndedAt = time.GetUtcNow() };
        if (!await store.CommitAsync(new() { Job = ended }, cancellationToken).ConfigureAwait(false))
            return;
        if (decision.StopReason is { } reason)
        {
            Stopped(logger, job.Id, reason, job.Taken);
            await LetterJobs.RestoreWaitingAsync(store, ended, job.Request.By, time.GetUtcNow(), cancellationToken)
                .ConfigureAwait(false);
        }
        else
        {
            Completed(logger, job.Id, job.Taken, job.LeftOut);
        }
    }

    [LoggerMessage(593, LogLevel.Information, "Job {JobId} completed: {Letters} letters taken, {LeftOut} left out")]
    private static partial void Completed(ILogger logger, Guid jobId, int letters, int leftOut);

    [LoggerMessage(594, LogLevel.Warning, "Job {JobId} stopped by itself after {Letters} letters: {Reason}")]
    private static partial void Stopped(ILogger logger, Guid jobId, string reason, int letters);

    [LoggerMessage(596, LogLevel.Warning, "Job {JobId} makes no progress in this process; it is tried again every second")]
    private static partial void JobFailed(ILogger logger, Exception exception, Guid jobId);

    [LoggerMessage(595, LogLevel.Warning, "The store fails; no job makes progress in this process until it can be used again")]
    private static partial void Failed(ILogger logger, Exception exception);
}
