using System.Diagnostics;
using HttpResilience.IntegrationTests.Storage;

namespace HttpResilience.IntegrationTests.Crashes;

/// <summary>A batch that is killed repeatedly and continued each time by a new process.</summary>
public abstract class KilledBatchContract : CrashContract
{
    private const int Records = 5000;
    private const int Kills = 20;
    private const int AtOnce = 16;

    [Fact]
    public async Task Each_record_is_processed_once_and_each_failure_reported_once()
    {
        const int Seed = 20261122;
        var random = new Random(Seed);
        await using var api = await OrdersApi.StartAsync(Seed);
        api.Takes = TimeSpan.FromMilliseconds(1);
        api.Refuses = number => number % 250 == 249;
        int[] kills = [.. Enumerable.Range(0, Kills).Select(_ => random.Next(Records * 95 / 100)).Order()];
        long began = Stopwatch.GetTimestamp();
        int run = 0, killed = 0;
        foreach (int after in kills)
        {
            await using var worker = await StartAsync(api, run++);
            while (api.Arrivals.Count < after + AtOnce)
                await Task.Delay(1, Stop);
            await Task.Delay(random.Next(20), Stop);
            await worker.KillAsync();
            killed += worker.Lines.Any(l => l.StartsWith("report", StringComparison.Ordinal)) ? 0 : 1;
        }

        await using var last = await StartAsync(api, run);
        (await last.HasSaidAsync("report", 1, TimeSpan.FromMinutes(2))).ShouldBeTrue(string.Join('\n', last.Lines));
        string[] report = last.Lines.Single(l => l.StartsWith("report", StringComparison.Ordinal)).Split(' ');
        await last.StopAsync();

        var refused = Enumerable.Range(0, Records).Where(n => api.Refuses(n)).ToList();
        int lost = Enumerable.Range(0, Records).Except(refused).Count(n => api.Processed(n) == 0);
        int twice = Enumerable.Range(0, Records).Count(n => api.Processed(n) > 1);
        int again = api.Arrivals.Count - api.Arrivals.Select(a => a.Key).Distinct().Count();
        Print($"{(IsPostgreSql ? "PostgreSQL" : "SQLite")}: records={Records} kills={killed} lost={lost} twice={twice} "
            + $"failures={report[5].Split(',').Length} sent again={again} seconds={Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} "
            + $"seed={Seed}");
        (lost, twice, killed).ShouldBe((0, 0, Kills));
        report[1].ShouldBe("Completed");
        report[5].Split(',').ShouldBe(refused.Select(n => $"{n}"));
        // Only records in progress at a kill, or whose end was not stored yet, are sent again.
        again.ShouldBeLessThanOrEqualTo(Kills * AtOnce);
        await ShouldBeSoundAsync();
    }

    // A minute passes between two processes, so that the lease of the killed one has expired.
    private async Task<WorkerProcess> StartAsync(OrdersApi api, int run)
    {
        var worker = WorkerProcess.Start(
            Settings(api, $"run {run}", run * TimeSpan.FromMinutes(1)) with { KeepsLetters = false, Replays = false });
        await worker.UntilAsync("ready");
        worker.Tell($"batch {Records}");
        return worker;
    }
}

[Collection("Crashes on SQLite")]
public sealed class SqliteKilledBatchTests : KilledBatchContract
{
    protected override bool IsPostgreSql => false;

    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());

    protected override Task ShouldBeSoundAsync() => SqliteCheck.ShouldBeSoundAsync(Database);
}

[Collection("Crashes on PostgreSQL")]
public sealed class PostgreSqlKilledBatchTests(PostgreSqlServer server) : KilledBatchContract
{
    protected override bool IsPostgreSql => true;

    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}
