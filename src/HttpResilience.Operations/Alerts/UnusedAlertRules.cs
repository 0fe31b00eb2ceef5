using HttpResilience.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Operations;

/// <summary>
/// Warns at start of alert rules for clients that are not registered. Several programs may share one configuration file, so this is not
/// an error.
/// </summary>
internal sealed partial class UnusedAlertRules(AlertSettings settings, IResilientClients clients, ILogger logger) : IHostedService
{
    // Beside the same warning about sections of clients.
    internal const string LogCategory = "HttpResilience.ClientStartup";

    public Task StartAsync(CancellationToken cancellationToken)
    {
        string[] names = [.. (clients.Names ?? []).Where(n => n != AlertClient.Name)];
        if (names.Length == 0)
            return Task.CompletedTask;

        var known = names.ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach (string client in settings.Policy.Rules.Select(r => r.Client).OfType<string>().Where(c => !known.Contains(c)).Distinct())
        {
            UnusedSection(
                logger, $"{AlertOptions.Section}:Rules, Client '{client}',", Spelling.Similar(client, names) ?? string.Join(", ", names));
        }

        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(405, LogLevel.Warning, "{Section} configures a client that is not registered here; registered: {Nearest}")]
    private static partial void UnusedSection(ILogger logger, string section, string nearest);
}
