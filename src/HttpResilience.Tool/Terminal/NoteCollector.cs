using Microsoft.Extensions.Logging;

namespace HttpResilience.Tool;

/// <summary>Keeps the warnings of the package, which has a log and no terminal.</summary>
internal sealed class NoteCollector : ILoggerProvider, ILogger
{
    private readonly List<string> _notes = [];
    private readonly Lock _lock = new();

    internal IReadOnlyList<string> Notes
    {
        get
        {
            lock (_lock)
                return [.. _notes];
        }
    }

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        ArgumentNullException.ThrowIfNull(formatter);
        if (!IsEnabled(logLevel))
            return;
        lock (_lock)
            _notes.Add(formatter(state, exception));
    }

    public void Dispose()
    {
    }
}
