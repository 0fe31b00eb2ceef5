using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>The client that alerts are sent with. It has the chain like any other, but nobody is alerted about it, and its calls are logged at Debug at most.</summary>
internal static class AlertClient
{
    internal const string Name = "HttpResilience.Alerts";

    internal static ILogger<T> LoggerFor<T>(IServiceProvider services, string? clientName)
    {
        var logger = services.GetRequiredService<ILogger<T>>();
        return clientName == Name ? new DebugLogger<T>(logger) : logger;
    }

    /// <summary>Says everything at Debug.</summary>
    private sealed class DebugLogger<T>(ILogger<T> logger) : ILogger<T>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => logger.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => logger.IsEnabled(AtMost(logLevel));

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            logger.Log(AtMost(logLevel), eventId, state, exception, formatter);

        private static LogLevel AtMost(LogLevel level) => level is LogLevel.Trace or LogLevel.None ? level : LogLevel.Debug;
    }
}
