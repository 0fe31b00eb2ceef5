using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Tests.RequestLogging;

/// <summary>A logger that throws does not take the place of the exception of a call.</summary>
public sealed class FailingListenerTests
{
    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task The_caller_gets_the_exception_of_the_call(bool isRejected, bool async)
    {
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.AddProvider(new Failing()));
        services.AddResilientHttpClient("api", o => o.Retry.MaxRetryAttempts = 0).ConfigurePrimaryHttpMessageHandler(() => new Down());
        await using var provider = services.BuildServiceProvider();
        if (isRejected)
            provider.GetRequiredService<ICircuits>().Isolate("api", new("https://api.test/"));
        using var invoker = new HttpMessageInvoker(provider.GetRequiredService<IHttpMessageHandlerFactory>().CreateHandler("api"), false);
        using var request = new HttpRequestMessage(HttpMethod.Get, "https://api.test/");

        var exception = await Should.ThrowAsync<HttpRequestException>(async () =>
        {
            using var _ = async ? await invoker.SendAsync(request, default) : invoker.Send(request, default);
        });

        (exception is CircuitOpenException).ShouldBe(isRejected);
        exception.GetHttpCall().ShouldNotBeNull();
    }

    private sealed class Down : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromException<HttpResponseMessage>(new HttpRequestException("down"));

        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
            throw new HttpRequestException("down");
    }

    private sealed class Failing : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => categoryName.Contains("RequestLogging", StringComparison.Ordinal)
            ? this : Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            throw new InvalidOperationException("The disk is full.");

        public void Dispose()
        {
        }
    }
}
