using HttpResilience.IntegrationTests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HttpResilience.IntegrationTests.Crashes;

/// <summary>A host with every background service that is disposed without being stopped, as tests and short programs do.</summary>
public sealed class DisposedHostTests(PostgreSqlServer server)
{
    [Theory]
    [InlineData("none", 0), InlineData("memory", 0), InlineData("sqlite", 0), InlineData("postgres", 0)]
    [InlineData("memory", 200), InlineData("sqlite", 200), InlineData("postgres", 200)]
    public async Task A_host_that_is_disposed_without_being_stopped_reports_no_failure(string store, int afterMilliseconds)
    {
        await using TestDatabase? database = store switch
        {
            "memory" => new InMemoryTestDatabase(),
            "sqlite" => new SqliteTestDatabase(),
            "postgres" => await server.CreateDatabaseAsync(),
            _ => null,
        };
        var log = new LogCollector();
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.AddProvider(log);
        if (database is not null)
            database.AddTo(builder.Services).AddDeadLetterReplay();
        builder.Services.AddResilientHttpClient("orders", o => o.BaseAddress = new("https://api.test/"));
        builder.Services.AddHttpResilienceOperations();
        var host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);
        await Task.Delay(afterMilliseconds, TestContext.Current.CancellationToken);

        await ((IAsyncDisposable)host).DisposeAsync();

        log.Lines.Where(l => l.Level >= LogLevel.Error).Select(l => l.Text).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_container_that_is_disposed_while_the_store_answers_is_no_failure_of_the_store()
    {
        await using var database = new InMemoryTestDatabase();
        var log = new LogCollector();
        var holds = new SlowHolds();
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.AddProvider(log);
        database.AddTo(builder.Services);
        builder.Services.AddSingleton<ICircuitHoldStore>(holds);
        builder.Services.AddSingleton(_ => new Answering(holds));
        var host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);
        await holds.Asked.Task.WaitAsync(ResilientClientUnderTest.Hang, TestContext.Current.CancellationToken);
        // Made last, so that it is disposed first.
        host.Services.GetRequiredService<Answering>();

        await ((IAsyncDisposable)host).DisposeAsync();

        log.Lines.Where(l => l.Level >= LogLevel.Warning).Select(l => l.Text).ShouldBeEmpty();
    }

    private sealed class SlowHolds : ICircuitHoldStore
    {
        internal TaskCompletionSource Asked { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        // Who waits goes on within the call that answers.
        internal TaskCompletionSource<IReadOnlyList<CircuitHold>> Answer { get; } = new();

        public Task<IReadOnlyList<CircuitHold>> ListAsync(CancellationToken cancellationToken)
        {
            Asked.TrySetResult();
            return Answer.Task;
        }

        public Task<int> PurgeAsync(DateTimeOffset before, CancellationToken cancellationToken) => Task.FromResult(0);
    }

    private sealed class Answering(SlowHolds holds) : IDisposable
    {
        public void Dispose() => holds.Answer.SetResult([]);
    }
}
