using Microsoft.Extensions.Logging;

namespace HttpResilience.Operations;

/// <summary>Lowers every level above Debug to Debug.</summary>
internal sealed class DebugLoggerFactory(ILoggerFactory factory) : ILoggerFactory
{
    public ILogger CreateLogger(string categoryName) => new DebugLogger(factory.CreateLogger(categoryName));

    public void AddProvider(ILoggerProvider provider) => factory.AddProvider(provider);

    public void Dispose()
    {
        // The inner factory belongs to the container.
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
