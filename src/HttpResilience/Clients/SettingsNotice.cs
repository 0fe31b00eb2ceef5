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
        foreach (var (route, settings) in _client.Routes)
            Route(_logger, _client.Name, route, string.Join(", ", settings.Select(s => $"{s.Key} {RouteNotes.Show(s.Value)}")));
        var options = _client.Options;
        HashSet<string> warnings =
            [.. options.Notes, .. IneffectiveSettings.In(options), .. MisspeltMethods.In(options), .. RouteNotes.In(options)];
        foreach (string warning in warnings.Except(_warnings))
            Questionable(_logger, _client.Name, warning);
        _warnings = warnings;
    }

    [LoggerMessage(415, LogLevel.Information, "{ClientName}: {Chain}")]
    private static partial void Chain(ILogger logger, string clientName, string chain);

    [LoggerMessage(419, LogLevel.Information, "{ClientName}: route {Route}: {Differences}")]
    private static partial void Route(ILogger logger, string clientName, string route, string differences);

    [LoggerMessage(416, LogLevel.Warning, "{ClientName}: {Settings}")]
    private static partial void Questionable(ILogger logger, string clientName, string settings);
}
