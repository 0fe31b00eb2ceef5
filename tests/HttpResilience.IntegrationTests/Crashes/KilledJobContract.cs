using System.Globalization;
using HttpResilience.IntegrationTests.Storage;

namespace HttpResilience.IntegrationTests.Crashes;

/// <summary>
/// A job over many letters. The process that was asked for it is killed, another one goes on; then a person stops it, and starts it again.
/// </summary>
public abstract class KilledJobContract : CrashContract
{
    private static readonly int Number = Environment.GetEnvironmentVariable("HTTPRESILIENCE_JOB_LETTERS") is { } number
        ? int.Parse(number, CultureInfo.InvariantCulture) : 300;

    // Ten times as fast, because the clocks of the processes are: the job takes 10 s, and a machine may stand still for 4 of them before it
    // has come to an end when it is stopped.
    private static readonly string PerSecond = Math.Min(100, Number / 100).ToString(CultureInfo.InvariantCulture);

    [Fact]
    public async Task No_letter_is_sent_twice_and_what_was_not_out_when_it_was_stopped_is_as_it_was()
    {
        var random = new Random(Seed);
        await using var api = await OrdersApi.StartAsync(Seed);
        api.Takes = TimeSpan.FromMilliseconds(20);
        var storage = Database.Open();
        var jobs = new LetterJobs(storage.DeadLetters, storage.Jobs, TimeProvider.System);
        await KeepAsync(storage, api);
        int killAfter = random.Next(Number / 10, Number / 5), stopAfter = random.Next(Number / 3, Number / 2);

        await using (var asked = WorkerProcess.Start(Settings(api, "asked")))
        {
            await asked.UntilAsync("ready");
            asked.Tell($"job {PerSecond}");
            await ArrivedAsync(api, killAfter);
            await asked.KillAsync();
        }

        int arrivedAtKill = api.Arrivals.Count;
        await using var other = WorkerProcess.Start(Settings(api, "other", TimeSpan.FromMinutes(1)));
        await ArrivedAsync(api, stopAfter);
        var running = (await jobs.ListAsync(LetterJobState.Running, cancellationToken: Stop)).ShouldHaveSingleItem();
        var stopped = await jobs.StopAsync(running.Id, "ben", Stop);
        stopped.StopReason.ShouldBe("Stopped by ben");
        await SettledAsync(storage);

        int sentAtStop = api.Arrivals.Select(a => a.Key).Distinct().Count();
        var letters = await AllLettersAsync();
        var rest = letters.Where(l => l.Status is not DeadLetterStatus.Replayed).ToList();
        letters.Count(l => l.Status is DeadLetterStatus.Replayed).ShouldBe(sentAtStop);
        rest.ShouldNotBeEmpty();
        rest.ShouldAllBe(l => l.Status == DeadLetterStatus.RequiresReview && l.SuggestedAction == "look at it" && l.Job == null);

        other.Tell($"job {PerSecond}");
        await UntilAsync(async () => (await AllLettersAsync()).TrueForAll(l => l.Status is DeadLetterStatus.Replayed));
        await UntilAsync(async () => (await jobs.ListAsync(LetterJobState.Running, cancellationToken: Stop)).Count == 0);
        await other.StopAsync();

        int lost = Enumerable.Range(0, Number).Count(n => api.Processed(n) == 0);
        int twice = Enumerable.Range(0, Number).Count(n => api.Processed(n) > 1);
        int again = api.Arrivals.Count - Number;
        Print($"{(IsPostgreSql ? "PostgreSQL" : "SQLite")}: letters={Number} killed after {arrivedAtKill} stopped after {sentAtStop} "
            + $"rest={rest.Count} lost={lost} twice={twice} sent again={again} seed={Seed}");
        (lost, twice).ShouldBe((0, 0));
        // Only letters that were being sent when the process was killed arrive a second time, under the same key.
        again.ShouldBeLessThanOrEqualTo(64);
        (await jobs.ListAsync(cancellationToken: Stop)).Select(j => j.State).ShouldBe([LetterJobState.Completed, LetterJobState.Stopped]);
        (await storage.Activity.ListAsync(null, 10, Stop)).Select(a => $"{a.Action} {a.By}").Order()
            .ShouldBe(["StartJob asked", "StartJob other", "StopJob ben"]);
        await ShouldBeSoundAsync();
    }

    private async Task KeepAsync(IHttpResilienceStorage storage, OrdersApi api)
    {
        for (int at = 0; at < Number; at += 500)
        {
            await Task.WhenAll(Enumerable.Range(at, Math.Min(500, Number - at)).Select(n => storage.DeadLetters.AddAsync(
                Order(api.Uri, n, System.Text.Encoding.UTF8.GetBytes(n.ToString(CultureInfo.InvariantCulture)), Epoch) with
                {
                    Status = DeadLetterStatus.RequiresReview,
                    SuggestedAction = "look at it",
                }, Stop)));
        }
    }

    private static Task ArrivedAsync(OrdersApi api, int number) => UntilAsync(() => Task.FromResult(api.Arrivals.Count >= number));

    private static Task SettledAsync(IHttpResilienceStorage storage) => UntilAsync(
        async () => await storage.DeadLetters.CountAsync(Stop) is var counts
            && counts[DeadLetterStatus.Pending] + counts[DeadLetterStatus.InProgress] == 0);

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        long began = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            TimeProvider.System.GetElapsedTime(began).ShouldBeLessThan(TimeSpan.FromMinutes(5), "The job makes no progress.");
            await Task.Delay(20, Stop);
        }
    }
}

[Collection("Crashes on SQLite")]
public sealed class SqliteKilledJobTests : KilledJobContract
{
    protected override bool IsPostgreSql => false;

    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());

    protected override Task ShouldBeSoundAsync() => SqliteCheck.ShouldBeSoundAsync(Database);
}

[Collection("Crashes on PostgreSQL")]
public sealed class PostgreSqlKilledJobTests(PostgreSqlServer server) : KilledJobContract
{
    protected override bool IsPostgreSql => true;

    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}
