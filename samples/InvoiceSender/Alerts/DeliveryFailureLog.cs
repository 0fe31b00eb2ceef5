using System.Collections.Concurrent;

namespace InvoiceSender;

/// <summary>Collects the log messages about alerts that were not delivered; the log itself is hidden unless --verbose is given.</summary>
internal sealed class DeliveryFailureLog : ILoggerProvider
{
    // Alert delivery failed; alerts were pending when the host stopped.
    private static readonly int[] Events = [704, 709];

    private readonly ConcurrentQueue<string> _messages = [];

    public IReadOnlyList<string> Messages => [.. _messages];

    public ILogger CreateLogger(string categoryName) =>
        new Logger(_messages, categoryName.StartsWith("HttpResilience.", StringComparison.Ordinal));

    public void Dispose()
    {
        // The messages are read after the host is disposed.
    }

    private sealed class Logger(ConcurrentQueue<string> messages, bool isOfLibrary) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => isOfLibrary && logLevel is LogLevel.Warning;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel) && Events.Contains(eventId.Id)) messages.Enqueue(formatter(state, exception));
        }
    }
}
