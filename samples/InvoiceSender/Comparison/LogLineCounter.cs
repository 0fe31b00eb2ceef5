namespace InvoiceSender;

/// <summary>Counts what an HTTP client writes to the log at Information or above: the lines somebody has to read and pay for.</summary>
internal sealed class LogLineCounter : ILoggerProvider
{
    private static readonly string[] HttpClientCategories = ["System.Net.Http.HttpClient", "HttpResilience"];

    private int _count;

    public int Count => Volatile.Read(ref _count);

    public ILogger CreateLogger(string categoryName) =>
        new Logger(this, HttpClientCategories.Any(category => categoryName.StartsWith(category, StringComparison.Ordinal)));

    public void Dispose()
    {
        // Counts outlive the host that wrote the lines.
    }

    private sealed class Logger(LogLineCounter counter, bool isHttpClient) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => isHttpClient && logLevel is >= LogLevel.Information and not LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel)) Interlocked.Increment(ref counter._count);
        }
    }
}
