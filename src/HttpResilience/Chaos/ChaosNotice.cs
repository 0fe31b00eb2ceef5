using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>Logs that faults are injected into the calls of a client, when it is made and whenever a reload changes them.</summary>
internal sealed partial class ChaosNotice
{
    private readonly Client _client;
    private readonly ILogger _logger;
    private string? _faults;

    internal ChaosNotice(Client client, ILogger logger)
    {
        (_client, _logger) = (client, logger);
        client.PolicyChanged += Log;
        Log();
    }

    private void Log()
    {
        string? before = _faults;
        _faults = string.Join("; ", _client.Policy.WithRoutes.Where(p => p.Chaos is not null)
            .Select(p => p.Route is null ? p.Chaos!.Description : $"{p.Route}: {p.Chaos!.Description}").Distinct());
        if (_faults.Length > 0 && _faults != before)
            ChaosIsOn(_logger, _client.Name, _faults);
    }

    [LoggerMessage(406, LogLevel.Warning, "{ClientName}: chaos is on, {Faults} (Chaos:Enabled)")]
    private static partial void ChaosIsOn(ILogger logger, string clientName, string faults);
}
