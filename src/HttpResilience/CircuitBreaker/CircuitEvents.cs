using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>Reports the state changes of a client's circuits to the log and the metrics.</summary>
internal sealed partial class CircuitEvents(Client client, ResilienceMeter meter, ILogger<CircuitBreakerHandler> logger)
{
    internal void Moved(HostState host, CircuitTransition? transition)
    {
        if (transition is null)
            return;

        string clientName = client.Name;
        meter.CircuitMoved(clientName, host.Key, transition.To);
        client.Observers?.CircuitChanged(client, host, transition.To);
        string circuit = host.Tenant is null ? host.Authority : $"{host.Authority} for tenant {Redaction.Clean(host.Tenant)}";
        switch (transition.To)
        {
            case CircuitState.Open:
                Opened(logger, clientName, circuit, (long)client.Time.GetElapsedTime(0, transition.OpenFor).TotalMilliseconds);
                break;
            case CircuitState.HalfOpen:
                HalfOpened(logger, clientName, circuit);
                break;
            case CircuitState.Isolated:
                Isolated(logger, clientName, circuit);
                break;
            default:
                Closed(logger, clientName, circuit);
                break;
        }
    }

    [LoggerMessage(301, LogLevel.Warning, "{ClientName}: circuit for {Authority} opened for {BreakMs} ms")]
    private static partial void Opened(ILogger logger, string clientName, string authority, long breakMs);

    [LoggerMessage(302, LogLevel.Information, "{ClientName}: circuit for {Authority} is half-open; a probe is sent")]
    private static partial void HalfOpened(ILogger logger, string clientName, string authority);

    [LoggerMessage(303, LogLevel.Information, "{ClientName}: circuit for {Authority} closed")]
    private static partial void Closed(ILogger logger, string clientName, string authority);

    [LoggerMessage(
        304, LogLevel.Warning, "{ClientName}: circuit for {Authority} isolated by an operator; nothing is sent until ICircuits.Close")]
    private static partial void Isolated(ILogger logger, string clientName, string authority);
}
