using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>
/// Reports what limits that only observe would have done: each case to the metrics, and to the log at once and then once a minute.
/// </summary>
internal sealed partial class ObservedLimits(Client client, ResilienceMeter meter, ILogger<ObservedLimits> logger)
{
    private static readonly TimeSpan Every = TimeSpan.FromMinutes(1);

    private readonly long _interval = client.Time.ToTicks(Every);

    /// <summary>The rate limiter would have rejected an attempt, or would have had it wait.</summary>
    internal void RateLimited(HostState? host, HttpAuthority authority, bool waits)
    {
        meter.Observed(client.Name, authority, waits ? "rate_limiter_wait" : "rate_limiter_rejection", 1);
        if (host?.Observed.CountAttempt(waits, client.Time.GetTimestamp(), _interval) is { } report)
            AttemptsObserved(logger, client.Name, authority.ToString(), report.Rejected, report.Waiting);
    }

    /// <summary>The retry budget would have stopped retries, or hedged requests, of which none was reported before.</summary>
    internal void OverBudget(HostState host, int number)
    {
        if (number == 0)
            return;
        meter.Observed(client.Name, host.Key.Authority, "retry_budget", number);
        if (host.Observed.CountRetries(number, client.Time.GetTimestamp(), _interval) is > 0 and var stopped)
            RetriesObserved(logger, client.Name, host.Authority, stopped);
    }

    [LoggerMessage(591, LogLevel.Information,
        "{ClientName}: RateLimiter (observed only) would have rejected {Rejected} attempts to {Authority} and delayed {Waiting} since the "
        + "last report")]
    private static partial void AttemptsObserved(ILogger logger, string clientName, string authority, int rejected, int waiting);

    [LoggerMessage(592, LogLevel.Information,
        "{ClientName}: Retry:Budget (observed only) would have stopped {Stopped} retries to {Authority} since the last report")]
    private static partial void RetriesObserved(ILogger logger, string clientName, string authority, int stopped);
}
