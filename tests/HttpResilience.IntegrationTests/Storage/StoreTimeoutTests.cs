using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace HttpResilience.IntegrationTests.Storage;

/// <summary>
/// A store that is locked for longer than a call waits for it: the store gives up first, so that the log has its reason.
/// </summary>
public abstract class StoreTimeoutContract : StorageContract
{
    /// <summary>Takes a lock that stops every write, or, with <paramref name="isFirstUse"/>, the creation of the schema.</summary>
    private protected abstract Task<IAsyncDisposable> LockAsync(bool isFirstUse);

    private protected abstract string Reason { get; }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_store_that_is_locked_for_too_long_says_so_for_each_letter(bool isFirstUse)
    {
        if (!isFirstUse)
            await Database.Open().DeadLetters.AddAsync(Letters.Plain(), Stop);
        await using var api = await FaultServer.StartAsync(new FaultScript().Status(503), cancellationToken: Stop);
        var causes = new Causes();
        // Before the host starts, whose heartbeat is the first to use the store.
        var locked = await LockAsync(isFirstUse);
        using var host = await KeepingHost.StartAsync(Database, api.Uri, causes);
        using var http = host.Services.GetRequiredService<IHttpClientFactory>().CreateClient(KeepingHost.Client);

        // The second one comes when the first is being written, and is written after it.
        var first = KeepingHost.SendAsync(http);
        await Task.Delay(500, Stop);
        var second = KeepingHost.SendAsync(http);
        (await first).ShouldBeNull();
        (await second).ShouldBeNull();

        causes.Messages.Count.ShouldBe(2);
        foreach (string message in causes.Messages)
            message.ShouldContain(Reason);
        await locked.DisposeAsync();
        (await KeepingHost.SendAsync(http)).ShouldNotBeNull();
        (await Database.Open().DeadLetters.CountAsync(Stop))[DeadLetterStatus.Pending].ShouldBe(isFirstUse ? 1 : 2);
        await host.StopAsync(Stop);
    }

    [Fact]
    public async Task A_remembered_call_is_told_the_reason_within_the_time_that_it_has()
    {
        var keys = Database.Open().IdempotencyKeys;
        await keys.PurgeAsync(Noon, Stop);
        var request = new RememberedRequest("billing", "key", "hash", Guid.NewGuid(), Noon, Noon.AddSeconds(30));
        await using var locked = await LockAsync(isFirstUse: false);

        (await Should.ThrowAsync<HttpResilienceStorageException>(() => keys.BeginAsync(request, Stop))).Message.ShouldContain(Reason);
    }

    /// <summary>The exceptions of critical log events.</summary>
    private sealed class Causes : ILoggerProvider, ILogger
    {
        private readonly Lock _gate = new();
        private readonly List<string> _messages = [];

        internal IReadOnlyList<string> Messages
        {
            get
            {
                lock (_gate)
                    return [.. _messages];
            }
        }

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel is LogLevel.Critical;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel is not LogLevel.Critical)
                return;
            lock (_gate)
                _messages.Add(exception?.Message ?? "");
        }

        public void Dispose()
        {
        }
    }
}

/// <summary>PostgreSQL.</summary>
public sealed class PostgreSqlStoreTimeoutTests(PostgreSqlServer server) : StoreTimeoutContract
{
    private protected override string Reason => "did not answer in time: check whether its tables are locked";

    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();

    private protected override async Task<IAsyncDisposable> LockAsync(bool isFirstUse)
    {
        var other = new NpgsqlConnection(Database.ConnectionString + ";Pooling=false");
        await other.OpenAsync(Stop);
        await using var hold = new NpgsqlCommand(
            isFirstUse ? $"SELECT pg_advisory_lock({PostgreSqlSchema.SchemaLock})"
                : "BEGIN; LOCK TABLE http_resilience.dead_letters, http_resilience.remembered_calls", other);
        await hold.ExecuteNonQueryAsync(Stop);
        return other;
    }
}

/// <summary>SQLite.</summary>
public sealed class SqliteStoreTimeoutTests : StoreTimeoutContract
{
    private protected override string Reason => "was locked by another process for ";

    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());

    private protected override async Task<IAsyncDisposable> LockAsync(bool isFirstUse)
    {
        var connection = new SqliteConnection($"{Database.ConnectionString};Pooling=false");
        await connection.OpenAsync(Stop);
        await using var begin = connection.CreateCommand();
        begin.CommandText = "BEGIN IMMEDIATE";
        await begin.ExecuteNonQueryAsync(Stop);
        return connection;
    }
}
