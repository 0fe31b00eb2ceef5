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
        _faults = _client.Policy.Chaos?.Description;
        if (_faults is not null && _faults != before)
            ChaosIsOn(_logger, _client.Name, _faults);
    }

    [LoggerMessage(406, LogLevel.Warning, "{ClientName}: chaos is on, {Faults} (Chaos:Enabled)")]
    private static partial void ChaosIsOn(ILogger logger, string clientName, string faults);
}
