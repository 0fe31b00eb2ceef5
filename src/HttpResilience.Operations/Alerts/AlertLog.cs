using Microsoft.Extensions.Logging;

namespace HttpResilience.Operations;

/// <summary>The sink that is always there: the log.</summary>
internal static partial class AlertLog
{
    internal const string LogCategory = AlertEvaluator.LogCategory;

    internal static void Write(ILogger logger, Alert alert)
    {
        var level = alert.Severity is AlertSeverity.Critical ? LogLevel.Error : LogLevel.Warning;
        switch (alert.Phase)
        {
            case AlertPhase.Started:
                Started(logger, level, alert.Title, alert.Detail, alert.Rule, alert.ClientName, alert.Authority, alert.Tenant, alert.Id);
                break;
            case AlertPhase.Reminder:
                Reminder(logger, level, alert.Title, alert.StartedAt, alert.Detail, alert.Rule, alert.ClientName, alert.Authority,
                    alert.Tenant, alert.Id);
                break;
            default:
                Ended(logger, alert.Title, alert.Detail, alert.Rule, alert.ClientName, alert.Authority, alert.Tenant, alert.Id);
                break;
        }
    }

    [LoggerMessage(EventId = 701, Message =
        "Alert: {Title}. {Detail} ({Rule}, client {ClientName}, {Authority}, tenant {Tenant}, {AlertId})")]
    private static partial void Started(
        ILogger logger, LogLevel level, string title, string detail, AlertRuleType rule, string? clientName, string? authority,
            string? tenant, Guid alertId);

    [LoggerMessage(EventId = 702, Message =
        "Alert, since {StartedAt}: {Title}. {Detail} ({Rule}, client {ClientName}, {Authority}, tenant {Tenant}, {AlertId})")]
    private static partial void Reminder(
        ILogger logger, LogLevel level, string title, DateTimeOffset startedAt, string detail, AlertRuleType rule, string? clientName,
            string? authority, string? tenant, Guid alertId);

    [LoggerMessage(703, LogLevel.Information,
        "Alert over: {Title}. {Detail} ({Rule}, client {ClientName}, {Authority}, tenant {Tenant}, {AlertId})")]
    private static partial void Ended(
        ILogger logger, string title, string detail, AlertRuleType rule, string? clientName, string? authority, string? tenant,
            Guid alertId);
}
