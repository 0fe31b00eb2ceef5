using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>Tells the world that a circuit of a client has changed its state.</summary>
internal sealed partial class CircuitEvents(ClientState client, ILogger<CircuitBreakerHandler> logger)
{
    internal void Moved(HostState host, CircuitTransition? transition)
    {
        if (transition is null)
            return;

        string clientName = client.Name;
        client.Meter.CircuitMoved(clientName, host.Key, transition.To);
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

    [LoggerMessage(301, LogLevel.Warning, "{ClientName}: the circuit of {Authority} is open, nothing is sent for {BreakMs} ms")]
    private static partial void Opened(ILogger logger, string clientName, string authority, long breakMs);

    [LoggerMessage(302, LogLevel.Information, "{ClientName}: the circuit of {Authority} is half open, a probe goes out")]
    private static partial void HalfOpened(ILogger logger, string clientName, string authority);

    [LoggerMessage(303, LogLevel.Information, "{ClientName}: the circuit of {Authority} is closed, the host is well again")]
    private static partial void Closed(ILogger logger, string clientName, string authority);

    [LoggerMessage(304, LogLevel.Warning, "{ClientName}: the circuit of {Authority} was isolated by hand, nothing is sent until it is closed (ICircuits.Close)")]
    private static partial void Isolated(ILogger logger, string clientName, string authority);
}
