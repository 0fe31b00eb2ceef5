using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace HttpResilience.IntegrationTests;

/// <summary>Keeps what is logged.</summary>
internal sealed class LogCollector : ILoggerProvider
{
    private readonly ConcurrentQueue<LogLine> _lines = new();

    internal IReadOnlyList<LogLine> Lines => [.. _lines];

    /// <summary>The events of calls that have ended.</summary>
    internal IReadOnlyList<LogLine> Calls => [.. _lines.Where(l => l.Category == typeof(RequestLoggingHandler).FullName)];

    public ILogger CreateLogger(string categoryName) => new Logger(categoryName, _lines);

    public void Dispose() => GC.SuppressFinalize(this);

    private sealed class Logger(string category, ConcurrentQueue<LogLine> lines) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Enqueue(new(category, logLevel, formatter(state, exception), state as IReadOnlyList<KeyValuePair<string, object?>> ?? []));
    }
}

internal sealed record LogLine(string Category, LogLevel Level, string Text, IReadOnlyList<KeyValuePair<string, object?>> Properties)
{
    internal object? this[string name] => Properties.FirstOrDefault(p => p.Key == name).Value;
}
