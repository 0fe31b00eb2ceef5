using System.Diagnostics;
using HttpResilience.IntegrationTests.Crashes;
using Npgsql;

namespace HttpResilience.IntegrationTests.Storage;

/// <summary>A primary and its streaming standby, which takes over. The address of the database leads to one or the other.</summary>
[Collection("Crashes on PostgreSQL")]
public sealed class PostgreSqlFailoverTests : IAsyncLifetime
{
    private readonly PostgreSqlServer _primary = new();
    private PostgreSqlServer? _standby;
    private PostgreSqlTestDatabase _database = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await _primary.InitializeAsync();
        _database = (PostgreSqlTestDatabase)await _primary.CreateDatabaseAsync();
        _standby = await PostgreSqlServer.StandbyOfAsync(_primary);
    }

    [Fact]
    public async Task Connections_to_a_standby_are_given_up_when_the_address_leads_to_the_primary()
    {
        await using var endpoint = new MovingEndpoint(_primary.Port);
        var store = _database.Open(connectionString: To(endpoint)).DeadLetters;
        await store.AddAsync(Letters.Plain(), Stop);
        endpoint.MoveTo(_standby!.Port);
        endpoint.Cut();

        var adding = Enumerable.Range(0, 10).Select(_ => store.AddAsync(Letters.Plain(), Stop)).ToList();
        await Eventually.BeAsync(() => OnStandby() > 0);
        long moved = Stopwatch.GetTimestamp();
        endpoint.MoveTo(_primary.Port);

        (await Task.WhenAll(adding)).ShouldAllBe(added => added);
        ShouldBeSoon(moved, "after the address led to the standby for a moment");
        (await _database.Open().DeadLetters.CountAsync(Stop))[DeadLetterStatus.Pending].ShouldBe(11);

        long OnStandby() => _standby.ScalarAsync<long>(
            "postgres", "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'HttpResilience'").GetAwaiter().GetResult();
    }

    [Fact]
    public async Task Connections_to_a_primary_that_can_only_be_read_now_are_given_up()
    {
        await using var endpoint = new MovingEndpoint(_primary.Port);
        var storage = _database.Open(connectionString: To(endpoint));
        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => storage.DeadLetters.AddAsync(Letters.Plain(), Stop)));
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => storage.DeadLetters.CountAsync(Stop)));
        await _primary.ExecuteAsync("postgres", "ALTER SYSTEM SET default_transaction_read_only = on");
        await _primary.ExecuteAsync("postgres", "SELECT pg_reload_conf()");
        await Eventually.BeAsync(() => _primary.ScalarAsync<string>(
            "postgres", "SHOW default_transaction_read_only").GetAwaiter().GetResult() == "on");
        await _standby!.PromoteAsync();
        long moved = Stopwatch.GetTimestamp();
        endpoint.MoveTo(_standby.Port);

        (await storage.DeadLetters.AddAsync(Letters.Plain(), Stop)).ShouldBeTrue();
        ShouldBeSoon(moved, "after a planned switch");
        (await storage.Checkpoints.BeginAsync("nightly", Guid.NewGuid(), DateTimeOffset.UtcNow, DateTimeOffset.UtcNow, Stop))
            .Position.ShouldBe(0);
        (await _standby.ScalarAsync<long>(_database.Name, "SELECT count(*) FROM http_resilience.dead_letters")).ShouldBe(51);
    }

    [Theory, InlineData(""), InlineData(";Target Session Attributes=primary"), InlineData(";Target Session Attributes=read-write")]
    public async Task Of_several_hosts_the_one_that_is_the_primary_now_keeps_the_letters(string more)
    {
        string hosts = new NpgsqlConnectionStringBuilder(_database.ConnectionString)
        {
            Host = $"127.0.0.1:{_primary.Port},127.0.0.1:{_standby!.Port}",
        }.ConnectionString;
        var storage = _database.Open(connectionString: hosts + more);
        await storage.DeadLetters.AddAsync(Letters.Plain(), Stop);
        await _primary.StopAsync();
        await _standby.PromoteAsync();
        long promoted = Stopwatch.GetTimestamp();

        (await storage.DeadLetters.AddAsync(Letters.Plain(), Stop)).ShouldBeTrue();
        ShouldBeSoon(promoted, "with two hosts in the connection string");
        (await _standby.ScalarAsync<long>(_database.Name, "SELECT count(*) FROM http_resilience.dead_letters")).ShouldBe(2);
    }

    [Fact]
    public async Task A_failover_under_load_loses_no_letter_that_was_promised()
    {
        await using var endpoint = new MovingEndpoint(_primary.Port);
        var store = _database.Open(connectionString: To(endpoint)).DeadLetters;
        await store.AddAsync(Letters.Plain(), Stop);
        await using var api = await OrdersApi.StartAsync(0);
        long began = Stopwatch.GetTimestamp();
        await using var load = await LettersUnderLoad.StartAsync(api, To(endpoint), programs: 2);
        await Eventually.BeAsync(() => load.Kept.Count > 100);

        await _primary.StopAsync();
        await _standby!.PromoteAsync();
        long moved = Stopwatch.GetTimestamp();
        endpoint.MoveTo(_standby.Port);
        (await store.AddAsync(Letters.Plain(), Stop)).ShouldBeTrue();
        ShouldBeSoon(moved, "under load");
        await load.UntilOverAsync();

        await using var after = new PostgreSqlTestDatabase(_standby, _database.Name);
        int lost = await load.LostAsync(after.Open().DeadLetters);
        load.Print("failover", began, lost);
        lost.ShouldBe(0);
    }

    private string To(MovingEndpoint endpoint) => $"{_database.ConnectionString};Port={endpoint.Port}";

    private static void ShouldBeSoon(long since, string what)
    {
        var took = Stopwatch.GetElapsedTime(since);
        TestContext.Current.TestOutputHelper?.WriteLine($"the first letter was kept {took.TotalMilliseconds:0} ms {what}");
        if (LettersUnderLoad.IsProof)
            took.ShouldBeLessThan(TimeSpan.FromSeconds(2), what);
    }

    public async ValueTask DisposeAsync()
    {
        if (_database is not null)
            await _database.DisposeAsync();
        if (_standby is not null)
            await _standby.DisposeAsync();
        await _primary.DisposeAsync();
    }
}
