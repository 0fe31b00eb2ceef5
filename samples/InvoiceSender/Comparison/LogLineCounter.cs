namespace InvoiceSender;

/// <summary>Counts the log lines of HTTP clients and their handlers at Information or above.</summary>
internal sealed class LogLineCounter : ILoggerProvider
{
    private static readonly string[] HttpClientCategories =
        ["System.Net.Http.HttpClient", "HttpResilience", "Polly", "Microsoft.Extensions.Http.Resilience"];

    private int _count;

    public int Count => Volatile.Read(ref _count);

    public ILogger CreateLogger(string categoryName) =>
        new Logger(this, HttpClientCategories.Any(category => categoryName.StartsWith(category, StringComparison.Ordinal)));

    public void Dispose()
    {
        // The count is read after the host is disposed.
    }

    private sealed class Logger(LogLineCounter counter, bool isHttpClient) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => isHttpClient && logLevel is >= LogLevel.Information and not LogLevel.None;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel)) Interlocked.Increment(ref counter._count);
        }
    }
}
