using System.Diagnostics;
using Npgsql;

namespace HttpResilience.IntegrationTests.Storage;

/// <summary>Answers that are lost, connections that are cut, rows that others hold.</summary>
[Collection(nameof(PostgreSqlServer))]
public sealed class PostgreSqlTroubleTests(PostgreSqlServer server) : StorageContract
{
    private PostgreSqlTestDatabase Own => (PostgreSqlTestDatabase)Database;

    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();

    [Fact]
    public async Task A_change_whose_answer_is_lost_is_made_once_and_reported_as_made()
    {
        await using var proxy = new CuttingProxy(new NpgsqlConnectionStringBuilder(Database.ConnectionString).Port);
        var storage = Database.Open(connectionString: $"{Database.ConnectionString};Port={proxy.Port};SSL Mode=Disable;GSS Encryption Mode=Disable");
        var letters = storage.DeadLetters;
        var letter = Letters.Plain() with { Body = new byte[] { 1 }, Tags = new Dictionary<string, string> { ["a"] = "b" } };
        var replacement = Letters.Full();

        proxy.CutAfter("INSERT INTO http_resilience.dead_letters");
        (await letters.AddAsync(letter, Stop)).ShouldBeTrue();
        proxy.CutAfter("UPDATE http_resilience.dead_letters");
        (await letters.UpdateAsync(letter with { Attempts = 5 }, Stop)).ShouldBeTrue();
        (await letters.FindAsync(letter.Id, Stop)).ShouldBeThatOf(letter with { Attempts = 5, Version = 1 });
        proxy.CutAfter("WITH changed");
        (await letters.ReplaceAsync(letter with { Version = 1, ReplacedBy = replacement.Id }, replacement, Stop)).ShouldBeTrue();
        (await letters.FindAsync(letter.Id, Stop)).ShouldBeThatOf(letter with { ReplacedBy = replacement.Id, Version = 2 });

        var request = new RememberedRequest("billing", "key", "hash", Guid.NewGuid(), Noon, Noon.AddSeconds(30));
        proxy.CutAfter("INSERT INTO http_resilience.remembered_calls");
        (await storage.IdempotencyKeys.BeginAsync(request, Stop)).ShouldBe(new("hash", request.Owner, Noon, request.LeaseUntil, false, null));
        proxy.CutAfter("UPDATE http_resilience.remembered_calls");
        (await storage.IdempotencyKeys.CompleteAsync(request, new(200, null, [], default), Noon.AddDays(1), Stop)).ShouldBeTrue();
        var second = request with { Key = "other" };
        await storage.IdempotencyKeys.BeginAsync(second, Stop);
        proxy.CutAfter("DELETE FROM http_resilience.remembered_calls");
        (await storage.IdempotencyKeys.ForgetAsync(second, Stop)).ShouldBeTrue();

        proxy.Cuts.ShouldBe(6);
    }

    [Fact]
    public async Task A_change_that_lost_its_answer_and_its_race_is_not_reported_as_made()
    {
        await using var proxy = new CuttingProxy(new NpgsqlConnectionStringBuilder(Database.ConnectionString).Port);
        var store = Database.Open(connectionString: $"{Database.ConnectionString};Port={proxy.Port};SSL Mode=Disable;GSS Encryption Mode=Disable").DeadLetters;
        var letter = Letters.Plain();
        await store.AddAsync(letter, Stop);
        await store.UpdateAsync(letter with { Attempts = 1 }, Stop);

        proxy.CutAfter("UPDATE http_resilience.dead_letters");
        (await store.UpdateAsync(letter with { Attempts = 2 }, Stop)).ShouldBeFalse();
        proxy.CutAfter("INSERT INTO http_resilience.dead_letters");
        (await store.AddAsync(letter with { Attempts = 2 }, Stop)).ShouldBeFalse();

        proxy.Cuts.ShouldBe(2);
    }

    [Fact]
    public async Task A_letter_that_somebody_is_changing_is_passed_over_and_keeps_nobody_waiting()
    {
        var store = Database.Open().DeadLetters;
        var (held, free) = (Letters.Plain(Noon.AddMinutes(-1)), Letters.Plain(Noon));
        await store.AddAsync(held, Stop);
        await store.AddAsync(free, Stop);
        await using var other = new NpgsqlConnection(Database.ConnectionString + ";Pooling=false");
        await other.OpenAsync(Stop);
        await using var transaction = await other.BeginTransactionAsync(Stop);
        await using var hold = new NpgsqlCommand("SELECT 1 FROM http_resilience.dead_letters WHERE id = $1 FOR UPDATE", other) { Parameters = { new() { Value = held.Id } } };
        await hold.ExecuteNonQueryAsync(Stop);

        (await store.ClaimAsync(Letters.Claim(Noon), Stop)).ShouldHaveSingleItem().Id.ShouldBe(free.Id);
    }

    [Fact]
    public async Task Connections_that_are_cut_under_load_lose_nothing_and_double_nothing()
    {
        var storage = Database.Open();
        var letters = Enumerable.Range(0, 2000).Select(_ => Letters.Plain()).ToList();
        var left = new Queue<DeadLetter>(letters);
        using var over = new CancellationTokenSource();
        var slowest = TimeSpan.Zero;
        int kills = 0;

        var killing = Task.Run(async () =>
        {
            while (!over.IsCancellationRequested)
            {
                kills += (int)await server.ScalarAsync<long>(Own.Name,
                    $"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{Own.Name}' AND application_name = 'HttpResilience'");
                // Longer than a machine that is busy takes for a connection: one that never gets further than that is down.
                await Task.Delay(200, Stop);
            }
        }, Stop);
        bool[][] added = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(async () =>
        {
            List<bool> all = [];
            while (Next() is { } letter)
            {
                long began = Stopwatch.GetTimestamp();
                all.Add(await storage.DeadLetters.AddAsync(letter, Stop));
                lock (left)
                    slowest = Stopwatch.GetElapsedTime(began) is var took && took > slowest ? took : slowest;
            }

            return all.ToArray();
        }, Stop)));
        await over.CancelAsync();
        await killing;

        TestContext.Current.TestOutputHelper?.WriteLine($"{kills} connections cut, the slowest letter took {slowest.TotalMilliseconds:0} ms");
        kills.ShouldBeGreaterThan(0);
        added.SelectMany(a => a).ShouldAllBe(a => a);
        (await storage.DeadLetters.CountAsync(Stop))[DeadLetterStatus.Pending].ShouldBe(2000);

        DeadLetter? Next()
        {
            lock (left)
                return left.TryDequeue(out var letter) ? letter : null;
        }
    }

    [Fact]
    public async Task A_listener_whose_connection_is_cut_listens_again()
    {
        var store = Database.Open().DeadLetters;
        await store.WaitForLettersAsync(TimeSpan.FromHours(1), Stop).WaitAsync(ResilientClientUnderTest.Hang, Stop);
        await server.ExecuteAsync(Own.Name, $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{Own.Name}' AND application_name = 'HttpResilience'");

        // It does not know what it missed, and wakes whoever waits.
        await store.WaitForLettersAsync(TimeSpan.FromHours(1), Stop).WaitAsync(ResilientClientUnderTest.Hang, Stop);
        var waiting = store.WaitForLettersAsync(TimeSpan.FromHours(1), Stop);
        await Database.Open().DeadLetters.AddAsync(Letters.Plain(), Stop);

        await waiting.WaitAsync(ResilientClientUnderTest.Hang, Stop);
        Database.Log.Lines.ShouldContain(l => l.EventId == 2);
    }
}
