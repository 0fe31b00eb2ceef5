using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>
/// Logs the chain and the settings of a client when it is made and after each reload, with the settings that have no effect.
/// </summary>
internal sealed partial class SettingsNotice
{
    private readonly Client _client;
    private readonly ILogger _logger;
    private HashSet<string> _warnings = [];

    internal SettingsNotice(Client client, ILogger logger)
    {
        (_client, _logger) = (client, logger);
        client.PolicyChanged += Log;
        Log();
    }

    private void Log()
    {
        Chain(_logger, _client.Name, _client.Chain);
        var options = _client.Options;
        HashSet<string> warnings = [.. options.Notes, .. IneffectiveSettings.In(options), .. MisspeltMethods.In(options)];
        foreach (string warning in warnings.Except(_warnings))
            Questionable(_logger, _client.Name, warning);
        _warnings = warnings;
    }

    [LoggerMessage(415, LogLevel.Information, "{ClientName}: {Chain}")]
    private static partial void Chain(ILogger logger, string clientName, string chain);

    [LoggerMessage(416, LogLevel.Warning, "{ClientName}: {Settings}")]
    private static partial void Questionable(ILogger logger, string clientName, string settings);
}
