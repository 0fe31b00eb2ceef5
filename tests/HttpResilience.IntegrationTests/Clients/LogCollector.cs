using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace HttpResilience.IntegrationTests;

/// <summary>Collects log events.</summary>
internal sealed class LogCollector : ILoggerProvider
{
    private readonly ConcurrentQueue<LogLine> _lines = new();

    /// <summary>Called synchronously for every event.</summary>
    internal event Action<LogLine>? Logged;

    internal IReadOnlyList<LogLine> Lines => [.. _lines];

    /// <summary>The events of ended calls.</summary>
    internal IReadOnlyList<LogLine> Calls => [.. _lines.Where(l => l.Category == typeof(RequestLoggingHandler).FullName)];

    public ILogger CreateLogger(string categoryName) => new Logger(categoryName, this);

    public void Dispose() => GC.SuppressFinalize(this);

    private sealed class Logger(string category, LogCollector collector) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var line = new LogLine(
                category, logLevel, eventId.Id, formatter(state, exception), state as IReadOnlyList<KeyValuePair<string, object?>> ?? []);
            collector._lines.Enqueue(line);
            collector.Logged?.Invoke(line);
        }
    }
}

internal sealed record LogLine(
    string Category, LogLevel Level, int EventId, string Text, IReadOnlyList<KeyValuePair<string, object?>> Properties)
{
    internal object? this[string name] => Properties.FirstOrDefault(p => p.Key == name).Value;
}
