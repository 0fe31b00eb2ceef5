using System.Text.Json;
using HttpResilience.Tests.CircuitBreaker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace HttpResilience.Tests.RequestLogging;

/// <summary>What <c>AddJsonConsole</c> makes of the events.</summary>
public sealed class JsonConsoleTests
{
    [Fact]
    public async Task A_call_is_one_line_of_json_with_its_properties()
    {
        using var json = new JsonConsole();
        using var chain = new Chain(services: s => s.AddLogging(logging => logging.AddProvider(json)));
        chain.Server.Script(Replies.Status(503), Replies.Status(422, "{\"title\":\"Inv\\u000aalid \\\"x\\\"\"}", "application/json"));

        (await chain.SendAsync(true, Chain.Post().WithTenant("comp\n1").WithTag("rowNumber", 5).WithTag("at", new DateOnly(2030, 1, 2))))
            .Dispose();

        string line = json.Lines.Where(l => l.Contains("\"EventId\":102", StringComparison.Ordinal)).ShouldHaveSingleItem();
        line.TrimEnd('\n', '\r').ShouldNotContain("\n");
        using var document = JsonDocument.Parse(line);
        var state = document.RootElement.GetProperty("State");
        document.RootElement.GetProperty("LogLevel").GetString().ShouldBe("Warning");
        state.GetProperty("ClientName").GetString().ShouldBe("api");
        state.GetProperty("StatusCode").GetInt32().ShouldBe(422);
        state.GetProperty("Attempts").GetInt32().ShouldBe(2);
        state.GetProperty("ElapsedMs").GetDouble().ShouldBe(1000);
        state.GetProperty("FailureClass").GetString().ShouldBe("Validation");
        state.GetProperty("Tenant").GetString().ShouldBe("comp 1");
        state.GetProperty("rowNumber").GetInt32().ShouldBe(5);
        state.GetProperty("at").GetString().ShouldNotBeNullOrEmpty();
        state.GetProperty("ErrorBody").GetString().ShouldBe("Inv alid \"x\"");
        Guid.TryParse(state.GetProperty("IdempotencyKey").GetString(), out _).ShouldBeTrue();
    }

    [Fact]
    public async Task Every_event_is_one_line_of_json()
    {
        using var json = new JsonConsole();
        using var chain = new Chain(
            o => (o.CircuitBreaker.UseClassic().FailureThreshold, o.Retry.MaxRetryAttempts) = (2, 1),
            services: s => s.AddLogging(logging => logging.AddProvider(json)));
        chain.Server.Script(Replies.Status(503, "a\r\nb\u001b[31m"));

        (await chain.GetAsync()).Dispose();
        await Assert.ThrowsAnyAsync<CircuitOpenException>(() => chain.GetAsync());

        json.Lines.Count.ShouldBeGreaterThan(4);
        foreach (string line in json.Lines)
        {
            line.TrimEnd('\n', '\r').ShouldNotContain("\n");
            JsonDocument.Parse(line).Dispose();
        }
    }

    private sealed class JsonConsole : ILoggerProvider, ILogger
    {
        private readonly ServiceProvider _services =
            new ServiceCollection().AddLogging(logging => logging.AddJsonConsole()).BuildServiceProvider();
        private readonly Lock _gate = new();

        public List<string> Lines { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            using var text = new StringWriter();
            _services.GetServices<ConsoleFormatter>().Single(f => f.Name == ConsoleFormatterNames.Json)
                .Write(new LogEntry<TState>(logLevel, "", eventId, state, exception, formatter), null, text);
            lock (_gate)
                Lines.Add(text.ToString());
        }

        public void Dispose() => _services.Dispose();
    }
}
