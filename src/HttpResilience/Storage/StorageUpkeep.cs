using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>Deletes expired rows from the store once an hour.</summary>
internal sealed partial class StorageUpkeep(
    IIdempotencyStore keys, IFallbackStore fallbacks, IErrorBudgetStore budgets, IInstanceStore instances, TimeProvider time,
    ILogger<StorageUpkeep> logger) : DetachedWorker
{
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    // The longest window of an error budget.
    internal static readonly TimeSpan CountsKept = TimeSpan.FromDays(90);

    private static readonly TimeSpan InstancesKept = TimeSpan.FromHours(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            try
            {
                var now = time.GetUtcNow();
                int calls = await keys.PurgeAsync(now, stoppingToken).ConfigureAwait(false);
                int responses = await fallbacks.PurgeAsync(now, stoppingToken).ConfigureAwait(false);
                int counts = await budgets.PurgeAsync(now - CountsKept, stoppingToken).ConfigureAwait(false);
                await instances.PurgeAsync(now - InstancesKept, stoppingToken).ConfigureAwait(false);
                Purged(logger, calls, responses, counts);
            }
            catch (HttpResilienceStorageException e)
            {
                // Expired rows do no harm: every query ignores them.
                NotPurged(logger, e);
            }
        }
    }

    [LoggerMessage(
        523, LogLevel.Debug,
        "Deleted expired rows: {Calls} remembered calls, {Responses} fallback responses, {Counts} error budget counts")]
    private static partial void Purged(ILogger logger, int calls, int responses, int counts);

    [LoggerMessage(524, LogLevel.Warning, "Expired rows could not be deleted; the next attempt is in an hour")]
    private static partial void NotPurged(ILogger logger, Exception exception);
}
