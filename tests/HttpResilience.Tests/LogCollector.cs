using Microsoft.Extensions.Logging;

namespace HttpResilience.Tests;

/// <summary>Keeps everything that is logged.</summary>
internal sealed class LogCollector : ILoggerProvider
{
    private readonly Lock _gate = new();
    private readonly List<LogEntry> _entries = [];

    public IReadOnlyList<LogEntry> Entries
    {
        get
        {
            lock (_gate)
                return [.. _entries];
        }
    }

    /// <summary>The events that end a call.</summary>
    public IReadOnlyList<LogEntry> Calls => Entries.Where(e => e.Id.Id is 101 or 102).ToList();

    /// <summary>The one event of the one call.</summary>
    public LogEntry Call => Calls.Count == 1 ? Calls[0] : throw new InvalidOperationException($"{Calls.Count} calls were logged:\n{this}");

    public IReadOnlyList<LogEntry> WithId(int id) => Entries.Where(e => e.Id.Id == id).ToList();

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public override string ToString() => string.Join('\n', Entries.Select(e => $"{e.Level} {e.Category}[{e.Id.Id}] {e.Message}"));

    public void Dispose()
    {
    }

    private void Add(LogEntry entry)
    {
        lock (_gate)
            _entries.Add(entry);
    }

    private sealed class Logger(LogCollector logs, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
        {
            logs.Add(new(LogLevel.Trace, new EventId(0, "scope"), category, state.ToString()!, Properties(state), null));
            return null;
        }

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            logs.Add(new(logLevel, eventId, category, formatter(state, exception), Properties(state), exception));

        private static Dictionary<string, object?> Properties(object? state) =>
            (state as IEnumerable<KeyValuePair<string, object?>> ?? []).ToDictionary(p => p.Key, p => p.Value);
    }
}

internal sealed record LogEntry(
    LogLevel Level, EventId Id, string Category, string Message, IReadOnlyDictionary<string, object?> Properties, Exception? Exception)
{
    public object? this[string property] => Properties.GetValueOrDefault(property);

    /// <summary>Everything of the entry that a sink could write.</summary>
    public string Everything => string.Join('|', [Message, .. Properties.Select(p => $"{p.Key}={p.Value}"), Exception?.ToString() ?? ""]);
}
