using Microsoft.Extensions.Logging;

namespace HttpResilience.CrashWorker;

/// <summary>Writes lines for the test, each flushed before the process continues.</summary>
internal sealed class Output : ILoggerProvider
{
    private static readonly Lock Gate = new();

    internal static void WriteLine(string line)
    {
        lock (Gate)
        {
            Console.Out.WriteLine(line);
            Console.Out.Flush();
        }
    }

    public ILogger CreateLogger(string categoryName) => new Logger();

    public void Dispose() => GC.SuppressFinalize(this);

    private sealed class Logger : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                WriteLine($"log {logLevel} {formatter(state, exception)} {exception?.Message}".ReplaceLineEndings(" "));
        }
    }
}
