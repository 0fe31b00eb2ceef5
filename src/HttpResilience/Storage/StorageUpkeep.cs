using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>Deletes once an hour what has expired in the store.</summary>
internal sealed partial class StorageUpkeep(IIdempotencyStore keys, IFallbackStore fallbacks, IErrorBudgetStore budgets, TimeProvider time, ILogger<StorageUpkeep> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    // The longest window of an error budget.
    internal static readonly TimeSpan CountsKept = TimeSpan.FromDays(90);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            try
            {
                var now = time.GetUtcNow();
                Purged(logger, await keys.PurgeAsync(now, stoppingToken).ConfigureAwait(false), await fallbacks.PurgeAsync(now, stoppingToken).ConfigureAwait(false),
                    await budgets.PurgeAsync(now - CountsKept, stoppingToken).ConfigureAwait(false));
            }
            catch (HttpResilienceStorageException e)
            {
                // What has expired does no harm until the next time.
                NotPurged(logger, e);
            }
        }
    }

    [LoggerMessage(523, LogLevel.Debug, "{Calls} remembered calls, {Responses} kept responses and {Counts} counts of error budgets had expired and were deleted")]
    private static partial void Purged(ILogger logger, int calls, int responses, int counts);

    [LoggerMessage(524, LogLevel.Warning, "What has expired in the store could not be deleted, and is left to the next time")]
    private static partial void NotPurged(ILogger logger, Exception exception);
}
