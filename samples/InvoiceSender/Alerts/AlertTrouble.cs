using System.Collections.Concurrent;

namespace InvoiceSender;

/// <summary>What the log says about alerts that do not get to where they are sent: the log itself is not shown.</summary>
internal sealed class AlertTrouble : ILoggerProvider
{
    // "Alerts do not get to ...", and "the host stops while ... wait".
    private static readonly int[] Events = [704, 709];

    private readonly ConcurrentQueue<string> _said = [];

    public IReadOnlyList<string> Said => [.. _said];

    public ILogger CreateLogger(string categoryName) => new Logger(_said, categoryName.StartsWith("HttpResilience.", StringComparison.Ordinal));

    public void Dispose()
    {
        // Read after the host is gone.
    }

    private sealed class Logger(ConcurrentQueue<string> said, bool isOfLibrary) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => isOfLibrary && logLevel is LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel) && Events.Contains(eventId.Id)) said.Enqueue(formatter(state, exception));
        }
    }
}
