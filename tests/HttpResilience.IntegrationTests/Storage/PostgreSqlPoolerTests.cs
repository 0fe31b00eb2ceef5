using System.Diagnostics;
using System.Text;
using HttpResilience.IntegrationTests.Crashes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace HttpResilience.IntegrationTests.Storage;

/// <summary>PgBouncer in transaction mode: the next transaction of a connection runs in a session that others have used.</summary>
[Collection("Crashes on PostgreSQL")]
public sealed class PostgreSqlPoolerTests(PostgreSqlServer server) : StorageContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();

    [Fact]
    public async Task Four_programs_that_share_a_few_sessions_lose_no_letter()
    {
        await using var pooler = await PgBouncer.StartAsync(server, connections: 4);
        await using var api = await OrdersApi.StartAsync(0);
        long began = Stopwatch.GetTimestamp();

        await using var load = await LettersUnderLoad.StartAsync(api, pooler.To(Database), programs: 4);
        await load.UntilOverAsync();

        int lost = await load.LostAsync(Database.Open().DeadLetters);
        load.Print("PgBouncer, transaction mode, 4 sessions", began, lost);
        var said = load.Lines.Where(l => l.StartsWith("log", StringComparison.Ordinal)).Take(5);
        (lost, load.Refused).ShouldBe((0, 0), string.Join('\n', said));
        load.Kept.Count.ShouldBeGreaterThan(LettersUnderLoad.IsProof ? 10_000 : 50);
    }

    [Fact]
    public async Task All_stores_work_in_sessions_that_change_with_each_transaction()
    {
        await using var pooler = await PgBouncer.StartAsync(server, connections: 3);
        var storages = Enumerable.Range(0, 3).Select(_ => Database.Open(connectionString: pooler.To(Database))).ToList();
        var letters = Enumerable.Range(0, 60).Select(_ => Letters.Full() with { Status = DeadLetterStatus.Pending, DueAt = Noon }).ToList();

        await Task.WhenAll(letters.Select((l, i) => storages[i % 3].DeadLetters.AddAsync(l, Stop)));
        var claimed = await Task.WhenAll(storages.Select(s => s.DeadLetters.ClaimAsync(Letters.Claim(Noon, limit: 20), Stop)));
        await Task.WhenAll(claimed.SelectMany((c, i) => c.Select(
            l => storages[i].DeadLetters.UpdateAsync(l with { Status = DeadLetterStatus.Replayed }, Stop))));
        await Task.WhenAll(Enumerable.Range(0, 60).Select(async i =>
        {
            var request = new RememberedRequest("billing", $"key-{i}", "hash", Guid.NewGuid(), Noon, Noon.AddSeconds(30));
            await storages[i % 3].IdempotencyKeys.BeginAsync(request, Stop);
            (await storages[(i + 1) % 3].IdempotencyKeys.CompleteAsync(request, new(200, null, [], default), Noon.AddDays(1), Stop))
                .ShouldBeTrue();
            (await storages[i % 3].Checkpoints.BeginAsync($"batch-{i}", request.Owner, Noon, Noon.AddSeconds(30), Stop))
                .Position.ShouldBe(0);
        }));

        (await Database.Open().DeadLetters.CountAsync(Stop))[DeadLetterStatus.Replayed].ShouldBe(60);
        claimed.SelectMany(c => c).DistinctBy(l => l.Id).Count().ShouldBe(60);
    }

    [Fact]
    public async Task A_letter_of_another_program_is_found_by_polling_where_notifications_do_not_arrive()
    {
        await using var pooler = await PgBouncer.StartAsync(server, connections: 3);
        await using var api = await OrdersApi.StartAsync(0);
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddHttpResilienceStorage(s => s.UsePostgreSql(pooler.To(Database))).AddDeadLetterReplay();
        builder.Services.AddResilientHttpClient("orders", options =>
        {
            options.BaseAddress = api.Uri;
            options.DeadLetter.Enabled = true;
        });
        using var host = builder.Build();
        await host.StartAsync(Stop);
        var other = Database.Open().DeadLetters;

        // The second letter is added when the worker waits for one.
        for (int number = 1; number <= 2; number++)
        {
            var now = DateTimeOffset.UtcNow;
            await other.AddAsync(Letters.Plain(now, "orders") with
            {
                Uri = new(api.Uri, "orders"),
                Body = Encoding.UTF8.GetBytes($"{number}"),
                IdempotencyKey = $"key-{number}",
                FirstFailedAt = now,
            }, Stop);
            await Eventually.BeAsync(() => api.Processed(number) == 1);
        }

        await host.StopAsync(Stop);
    }

    [Fact]
    public async Task The_session_of_another_program_is_not_reset()
    {
        await using var pooler = await PgBouncer.StartAsync(server, connections: 1);
        var store = Database.Open(connectionString: pooler.To(Database)).DeadLetters;
        await store.AddAsync(Letters.Plain(), Stop);
        await using var other = new NpgsqlConnection($"{pooler.To(Database)};Pooling=false;No Reset On Close=true");
        await other.OpenAsync(Stop);
        await using (var keep = new NpgsqlCommand("PREPARE of_another_program AS SELECT 1", other))
            await keep.ExecuteNonQueryAsync(Stop);

        for (int i = 0; i < 5; i++)
        {
            await store.AddAsync(Letters.Plain(), Stop);
            await store.CountAsync(Stop);
        }

        await using var count = new NpgsqlCommand("SELECT count(*) FROM pg_prepared_statements", other);
        (await count.ExecuteScalarAsync(Stop)).ShouldBe(1L);
    }
}
