using Microsoft.Extensions.Logging;

namespace HttpResilience.Operations;

/// <summary>Logs everything at Debug at most.</summary>
internal sealed class DebugLoggerFactory(ILoggerFactory factory) : ILoggerFactory
{
    public ILogger CreateLogger(string categoryName) => new DebugLogger(factory.CreateLogger(categoryName));

    public void AddProvider(ILoggerProvider provider) => factory.AddProvider(provider);

    public void Dispose()
    {
        // The factory behind it is the container's.
    }

    private sealed class DebugLogger(ILogger logger) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => logger.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => logger.IsEnabled(AtMost(logLevel));

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter) =>
            logger.Log(AtMost(logLevel), eventId, state, exception, formatter);

        private static LogLevel AtMost(LogLevel level) => level is LogLevel.Trace or LogLevel.None ? level : LogLevel.Debug;
    }
}
