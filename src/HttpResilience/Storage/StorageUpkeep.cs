using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace HttpResilience;

/// <summary>
/// Deletes expired rows and settled letters past <c>DeadLetter:Retention</c> from the store, and completes letters of older versions: a
/// minute after the host has started, and then once an hour.
/// </summary>
internal sealed partial class StorageUpkeep(
    IIdempotencyStore keys, IFallbackStore fallbacks, IErrorBudgetStore budgets, IInstanceStore instances, IIncidentStore incidents,
    IDeadLetterStore letters, ILetterJobStore jobs, IOperatorActivityStore activity, ICircuitHoldStore holds,
    StorageApplication application,
    Func<IEnumerable<(string ClientName, DeadLetterPolicy Policy)>> clients,
    TimeProvider time, ILogger<StorageUpkeep> logger) : DetachedWorker
{
    internal static readonly TimeSpan Interval = TimeSpan.FromHours(1), FirstDelay = TimeSpan.FromMinutes(1);

    // The longest window of an error budget.
    internal static readonly TimeSpan CountsKept = TimeSpan.FromDays(90);

    private static readonly TimeSpan InstancesKept = TimeSpan.FromHours(1);

    // An open incident is written every 20 s while a process observes it.
    private static readonly TimeSpan IncidentsKept = TimeSpan.FromDays(1);

    // A process that the store was away from for longer keeps holding back what was let through meanwhile.
    private static readonly TimeSpan LetThroughKept = TimeSpan.FromDays(7);

    // A year, and time to ask for it at its end.
    private static readonly TimeSpan ActivityKept = TimeSpan.FromDays(400);

    internal static void AddTo(IServiceCollection services)
    {
        if (services.Any(d => d.ServiceType == typeof(StorageUpkeep)))
            return;
        services.AddSingleton(provider => new StorageUpkeep(
            provider.GetRequiredService<IIdempotencyStore>(), provider.GetRequiredService<IFallbackStore>(),
            provider.GetRequiredService<IErrorBudgetStore>(), provider.GetRequiredService<IInstanceStore>(),
            provider.GetRequiredService<IIncidentStore>(),
            provider.GetRequiredService<IDeadLetterStore>(), provider.GetRequiredService<ILetterJobStore>(),
            provider.GetRequiredService<IOperatorActivityStore>(), provider.GetRequiredService<ICircuitHoldStore>(),
            provider.GetRequiredService<StorageApplication>(),
            () => ClientsOf(provider), provider.GetRequiredService<TimeProvider>(),
            provider.GetService<ILogger<StorageUpkeep>>() ?? NullLogger<StorageUpkeep>.Instance));
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<StorageUpkeep>());
    }

    // A process without clients may have storage, for the review.
    private static IEnumerable<(string ClientName, DeadLetterPolicy Policy)> ClientsOf(IServiceProvider provider) =>
        provider.GetService<IResilientClients>() is ResilientClients clients
            ? clients.Where(c => c.Policy.ClientDeadLetter is not null).Select(c => (c.Name, c.Policy.ClientDeadLetter!))
                .DistinctBy(c => c.Name) : [];

    protected override async Task WorkAsync(CancellationToken stoppingToken)
    {
        // A process that never lives for an hour deletes them too.
        using var timer = new PeriodicTimer(FirstDelay, time);
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            timer.Period = Interval;
            try
            {
                var now = time.GetUtcNow();
                int calls = await keys.PurgeAsync(now, stoppingToken).ConfigureAwait(false);
                int responses = await fallbacks.PurgeAsync(now, stoppingToken).ConfigureAwait(false);
                int counts = await budgets.PurgeAsync(now - CountsKept, stoppingToken).ConfigureAwait(false);
                await instances.PurgeAsync(now - InstancesKept, stoppingToken).ConfigureAwait(false);
                await incidents.PurgeAsync(now - IncidentsKept, stoppingToken).ConfigureAwait(false);
                await jobs.PurgeAsync(now - ActivityKept, stoppingToken).ConfigureAwait(false);
                await activity.PurgeAsync(now - ActivityKept, stoppingToken).ConfigureAwait(false);
                await holds.PurgeAsync(now - LetThroughKept, stoppingToken).ConfigureAwait(false);
                Purged(logger, calls, responses, counts);
                await PurgeLettersAsync(now, stoppingToken).ConfigureAwait(false);
                // Also what processes of an older version have written since.
                await letters.CompleteAsync(stoppingToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is HttpResilienceStorageException || !stoppingToken.IsCancellationRequested)
            {
                // Expired rows do no harm: every query ignores them. Another exception, such as of an own store, would stop the host.
                NotPurged(logger, e);
            }
        }
    }

    // Of this application, and of none: those of others have a retention of their own.
    private async Task PurgeLettersAsync(DateTimeOffset now, CancellationToken stoppingToken)
    {
        bool keepsByDefault = await letters.KeepsByDefaultAsync(stoppingToken).ConfigureAwait(false);
        foreach (var (clientName, policy) in clients())
        {
            if (policy.RetentionIn(keepsByDefault) is not { } retention)
                continue;
            int count = 0;
            foreach (string owner in new[] { application.Name, "" })
            {
                count += await letters.PurgeAsync(
                    new() { ClientName = clientName, Application = owner }, now - retention, stoppingToken).ConfigureAwait(false);
            }

            if (count > 0)
                LettersPurged(logger, clientName, count, retention);
        }
    }

    [LoggerMessage(
        560, LogLevel.Information, "{ClientName}: {Count} dead letters were deleted that had been settled for {Retention} (Retention)")]
    private static partial void LettersPurged(ILogger logger, string clientName, int count, TimeSpan retention);

    [LoggerMessage(
        523, LogLevel.Debug,
        "Deleted expired rows: {Calls} remembered calls, {Responses} fallback responses, {Counts} error budget counts")]
    private static partial void Purged(ILogger logger, int calls, int responses, int counts);

    [LoggerMessage(
        524, LogLevel.Warning,
        "Expired rows could not be deleted; the next attempt is in an hour. Deleting needs room too: on a full disk, free some first")]
    private static partial void NotPurged(ILogger logger, Exception exception);
}
