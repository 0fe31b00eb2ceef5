using System.Collections;
using System.Globalization;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Operations;

/// <summary>The sink that is always there: the log.</summary>
internal static class AlertLog
{
    internal const string LogCategory = "HttpResilience.AlertWatch";

    private static readonly EventId Started = new(701, nameof(Started));
    private static readonly EventId Reminder = new(702, nameof(Reminder));
    private static readonly EventId Ended = new(703, nameof(Ended));

    internal static void Write(ILogger logger, Alert alert)
    {
        var (level, id) = alert.Phase switch
        {
            AlertPhase.Started => (LevelOf(alert), Started),
            AlertPhase.Reminder => (LevelOf(alert), Reminder),
            _ => (LogLevel.Information, Ended),
        };
        if (logger.IsEnabled(level))
            logger.Log(level, id, new Entry(alert), exception: null, static (entry, _) => entry.ToString());
    }

    private static LogLevel LevelOf(Alert alert) => alert.Severity is AlertSeverity.Critical ? LogLevel.Error : LogLevel.Warning;

    /// <summary>Properties for structured sinks, and a readable line. Both leave out what an alert does not have.</summary>
    private sealed class Entry : IReadOnlyList<KeyValuePair<string, object?>>
    {
        private readonly List<KeyValuePair<string, object?>> _properties = new(9);
        private readonly Alert _alert;

        internal Entry(Alert alert)
        {
            _alert = alert;
            string template = Line((name, value) =>
            {
                _properties.Add(new(name, value));
                return $"{{{name}}}";
            });
            _properties.Add(new("{OriginalFormat}", template));
        }

        public int Count => _properties.Count;

        public KeyValuePair<string, object?> this[int index] => _properties[index];

        public IEnumerator<KeyValuePair<string, object?>> GetEnumerator() => _properties.GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

        public override string ToString() => Line(static (_, value) => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "");

        private string Line(Func<string, object, string> show)
        {
            string head = _alert.Phase switch
            {
                AlertPhase.Started => "Alert",
                AlertPhase.Reminder => $"Alert, since {show(nameof(Alert.StartedAt), _alert.StartedAt)}",
                _ => "Alert over",
            };
            string text = $"{head}: {show(nameof(Alert.Title), _alert.Title)}. {show(nameof(Alert.Detail), _alert.Detail)}";
            string about = show(nameof(Alert.Rule), _alert.Rule);
            if (_alert.ClientName is { } client)
                about += $", client {show(nameof(Alert.ClientName), client)}";
            if (_alert.Authority is { } authority)
                about += $", {show(nameof(Alert.Authority), authority)}";
            if (_alert.Tenant is { } tenant)
                about += $", tenant {show(nameof(Alert.Tenant), tenant)}";
            return $"{text} ({about}, {show("AlertId", _alert.Id)})";
        }
    }
}
