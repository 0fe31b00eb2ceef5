using Microsoft.Extensions.Logging;

namespace HttpResilience.Simulation;

/// <summary>Counts log lines at Information or above.</summary>
/// <param name="written">Called for each line that a logger gets.</param>
internal sealed class LineCounter(Action? written = null) : ILoggerProvider, ILogger
{
    private long _lines;

    internal long Lines => Interlocked.Read(ref _lines);

    /// <summary>Counts a log line of the application itself.</summary>
    internal void Count() => Interlocked.Increment(ref _lines);

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel))
            return;
        Count();
        written?.Invoke();
    }

    public void Dispose()
    {
    }
}
