using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>
/// Reports the state changes of a client's circuits to the log and the metrics. A time without a closed circuit that calls can wait out
/// is one line at its end; what happens within a longer one is Debug.
/// </summary>
internal sealed partial class CircuitEvents(Client client, ResilienceMeter meter, ILogger<CircuitBreakerHandler> logger)
{
    internal void Moved(HostState host, CircuitTransition? transition)
    {
        if (transition is null)
            return;

        var (clientName, outage) = (client.Name, host.Circuit.Outage!);
        meter.CircuitMoved(clientName, host.Key, transition.To);
        client.Observers?.CircuitChanged(client, host, transition.To);
        long now = client.Time.GetTimestamp();
        switch (transition.To)
        {
            case CircuitState.Open:
                var level = outage.IsLongAt(outage.StartedAt) && outage.TryReport(now) ? LogLevel.Warning : LogLevel.Debug;
                Opened(logger, level, clientName, NameOf(host), Milliseconds(transition.OpenFor));
                Report(host, outage, now);
                break;
            case CircuitState.HalfOpen:
                HalfOpened(logger, clientName, NameOf(host));
                break;
            case CircuitState.Isolated:
                Isolated(logger, clientName, NameOf(host));
                break;
            default:
                Closed(logger, clientName, NameOf(host), Milliseconds(now - outage.StartedAt), outage.Waited, outage.Failed);
                break;
        }
    }

    /// <summary>Reports, once, that a circuit has not been closed for longer than calls wait.</summary>
    internal void Report(HostState host, CircuitOutage? outage, long now)
    {
        if (outage?.TryReport(now) is true)
            StaysOpen(logger, client.Name, NameOf(host), Milliseconds(now - outage.StartedAt));
    }

    private long Milliseconds(long ticks) => (long)client.Time.GetElapsedTime(0, ticks).TotalMilliseconds;

    private string NameOf(HostState host)
    {
        string name = host.Tenant is null ? host.Authority : $"{host.Authority} for tenant {Redaction.Clean(host.Tenant)}";
        return client.Policy.CircuitBreaker is { OnlyObserves: true } ? $"{name} (observed only)" : name;
    }

    [LoggerMessage(EventId = 301, Message = "{ClientName}: circuit for {Authority} opened for {BreakMs} ms")]
    private static partial void Opened(ILogger logger, LogLevel level, string clientName, string authority, long breakMs);

    [LoggerMessage(302, LogLevel.Debug, "{ClientName}: circuit for {Authority} is half-open; a probe is sent")]
    private static partial void HalfOpened(ILogger logger, string clientName, string authority);

    [LoggerMessage(
        303, LogLevel.Information, "{ClientName}: circuit for {Authority} closed after {OutageMs} ms; calls that waited: {Waited}, failed: "
            + "{Failed}")]
    private static partial void Closed(ILogger logger, string clientName, string authority, long outageMs, int waited, int failed);

    [LoggerMessage(
        304, LogLevel.Warning, "{ClientName}: circuit for {Authority} isolated by an operator; nothing is sent until ICircuits.Close")]
    private static partial void Isolated(ILogger logger, string clientName, string authority);

    [LoggerMessage(
        305, LogLevel.Warning, "{ClientName}: circuit for {Authority} has not been closed for {OutageMs} ms; calls fail until a probe "
            + "succeeds")]
    private static partial void StaysOpen(ILogger logger, string clientName, string authority, long outageMs);
}
