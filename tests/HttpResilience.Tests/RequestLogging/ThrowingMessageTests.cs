using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Tests.RequestLogging;

/// <summary>An exception of the application's own code, whose message throws when it is read.</summary>
public sealed class ThrowingMessageTests
{
    private const string Message = $"HttpResilience.Tests.RequestLogging.{nameof(ThrowingMessageTests)}+{nameof(Unreadable)} "
        + "(its message cannot be read)";

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_call_that_fails_with_it_is_logged_and_the_caller_gets_it(bool async)
    {
        using var chain = new Chain(client: c => c.AddHttpMessageHandler(() => new Throws()));

        var thrown = await ThrownByAsync(() => chain.GetAsync(async));

        thrown.GetHttpCall()!.Error.ShouldBe(Message);
        (chain.Logs.Call.Level, chain.Logs.Call["ErrorMessage"], chain.Logs.Call["ErrorType"]).ShouldBe(
            (LogLevel.Warning, Message, nameof(Unreadable)));
    }

    [Fact]
    public async Task Its_letter_is_kept()
    {
        var store = new InMemoryStorage(new ManualTimeProvider());
        using var chain = new Chain(
            o => o.DeadLetter.Enabled = true, c => c.AddHttpMessageHandler(() => new Throws()),
            s => s.AddHttpResilienceStorage(storage => storage.UseInMemory(store)));

        await ThrownByAsync(() => chain.PostAsync());

        var letters = await chain.Services.GetRequiredService<IDeadLetterReview>().ListAsync(new(), TestContext.Current.CancellationToken);
        letters.ShouldHaveSingleItem().ErrorTitle.ShouldBe(Message);
    }

    [Fact]
    public async Task As_that_of_a_classifier_it_changes_nothing_even_where_a_logger_writes_exceptions()
    {
        using var console = new WritesExceptions();
        using var chain = new Chain(services: s => s.AddSingleton<IFailureClassifier, Classifier>()
            .AddLogging(l => l.AddProvider(console)));
        chain.Server.Script(Replies.Status(500), Replies.Status(200));

        (await chain.GetAsync()).Dispose();

        chain.Server.Requests.Count.ShouldBe(2);
        chain.Logs.WithId(407)[0].Exception!.Message.ShouldBe(Message);
        console.Texts.ShouldContain(t => t.Contains(Message, StringComparison.Ordinal));
    }

    [Fact]
    public void In_a_reload_it_rejects_the_reload()
    {
        bool throws = false;
        using var chain = new Chain(_ =>
        {
            if (throws)
                throw new Unreadable();
        });
        _ = chain.State;
        throws = true;

        chain.Reload(("Retry:MaxRetryAttempts", "1"));

        chain.State.Policy.Retry.MaxRetryAttempts.ShouldBe(3);
        chain.Logs.WithId(403).ShouldHaveSingleItem()["Problems"].ShouldBe(Message);
    }

    [Fact]
    public async Task In_a_batch_it_is_the_failure_of_its_record()
    {
        var report = await IsolatedBatch.RunAsync([1, 2], (record, _) => record == 1 ? throw new Unreadable() : Task.CompletedTask,
            cancellationToken: TestContext.Current.CancellationToken);

        report.Failures.ShouldHaveSingleItem().Error.ShouldBe(Message);
    }

    // Assert.ThrowsAsync reads the message.
    private static async Task<Unreadable> ThrownByAsync(Func<Task<HttpResponseMessage>> send)
    {
        try
        {
            (await send()).Dispose();
        }
        catch (Unreadable e)
        {
            return e;
        }

        throw new InvalidOperationException("Nothing was thrown.");
    }

    private sealed class Throws : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            throw new Unreadable();

        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
            throw new Unreadable();
    }

    private sealed class Classifier : IFailureClassifier
    {
        public FailureClassification Classify(
            HttpCall httpCall, HttpResponseMessage? response, Exception? exception, FailureClassification builtIn) =>
            throw new Unreadable();
    }

    private sealed class Unreadable : Exception
    {
        public override string Message => throw new InvalidOperationException("not to be read");
    }

    // As the console's does.
    private sealed class WritesExceptions : ILoggerProvider, ILogger
    {
        public List<string> Texts { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (exception is not null)
                Texts.Add(exception.ToString());
        }

        public void Dispose()
        {
        }
    }
}
