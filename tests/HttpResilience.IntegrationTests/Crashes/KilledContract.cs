using System.Diagnostics;
using System.Globalization;

namespace HttpResilience.IntegrationTests.Crashes;

/// <summary>
/// An application that is killed with SIGKILL, and started again on the same store, many times.
/// <para>
/// A call whose end the application has seen, well or kept, is the package's to bring to its end. A call that was under way at the
/// kill is the application's, which reads its own table: it sends it again under the same key. Whatever the moment of the kill: in the
/// end each request has been processed once.
/// </para>
/// The environment variable HTTPRESILIENCE_CRASH_ROUNDS says how often it is killed: as many times on SQLite, a quarter of
/// that on PostgreSQL. Default: 12 and 6. HTTPRESILIENCE_CRASH_SEED repeats the moments and faults of a run, as far as the
/// machine does. 200 rounds take some minutes.
/// </summary>
public abstract class KilledContract : CrashContract
{
    private const int RequestsPerRound = 10, MaxOpen = 20;

    private static int Seed { get; } = Environment.GetEnvironmentVariable("HTTPRESILIENCE_CRASH_SEED") is { } seed
        ? int.Parse(seed, CultureInfo.InvariantCulture)
        : Environment.TickCount & 0xFFFF;

    private int Rounds => Environment.GetEnvironmentVariable("HTTPRESILIENCE_CRASH_ROUNDS") is not { } rounds ? IsPostgreSql ? 6 : 12
        : int.Parse(rounds, CultureInfo.InvariantCulture) / (IsPostgreSql ? 4 : 1);

    // Between two processes passes nothing, the lease of the one that was killed, the first backoff, or longer.
    private static readonly TimeSpan[] Gaps =
        [TimeSpan.Zero, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(31), TimeSpan.FromSeconds(61), TimeSpan.FromMinutes(4)];

    [Fact]
    public async Task Killed_at_any_moment_it_loses_nothing_and_doubles_nothing()
    {
        long began = Stopwatch.GetTimestamp();
        var random = new Random(Seed);
        await using var api = await OrdersApi.StartAsync(Seed);
        api.IsFaulty = true;
        // Number and key of what the application does not know the end of, and how often it has sent each.
        Dictionary<int, string> open = [];
        Dictionary<string, int> sent = [];
        var (ahead, requests, underWay, refused) = (TimeSpan.Zero, 0, 0, 0);
        for (int round = 1; round <= Rounds; round++)
        {
            for (int i = 0; i < RequestsPerRound && open.Count < MaxOpen; i++)
                open.Add(++requests, $"round-{round}:{requests}");
            ahead += Gaps[random.Next(Gaps.Length)];
            await using var worker = WorkerProcess.Start(Settings(api, $"round-{round}", ahead));
            Send(worker);
            await UntilItsTimeAsync(worker, random);
            await worker.KillAsync();
            Ended(worker);
            underWay += open.Count;
        }

        api.IsFaulty = false;
        await using (var last = WorkerProcess.Start(Settings(api, "last", ahead + TimeSpan.FromHours(7))))
        {
            Send(last);
            last.Tell("finish");
            await last.UntilAsync("drained", TimeSpan.FromMinutes(2));
            await last.StopAsync();
            Ended(last);
        }

        var letters = await AllLettersAsync();
        int lost = Enumerable.Range(1, requests).Count(n => api.Processed(n) == 0);
        int duplicated = Enumerable.Range(1, requests).Count(n => api.Processed(n) > 1);
        int stuck = letters.Count(l => l.Status is not DeadLetterStatus.Replayed);
        var twice = letters.GroupBy(l => l.IdempotencyKey!).Where(g => g.Count() > 1).ToList();
        string result = $"{(IsPostgreSql ? "PostgreSQL" : "SQLite")}: rounds={Rounds} requests={requests} letters={letters.Count} "
            + $"lost={lost} duplicated={duplicated} stuck={stuck} "
            + $"seconds={Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} seed={Seed} (under way at a kill: {underWay}, "
            + $"not kept and told so: {refused}, keys with more than one letter: {twice.Count}, "
            + $"requests on the wire: {api.Arrivals.Count}, under way twice at once: {api.Overlaps})";
        Print(result);
        (lost, duplicated, stuck).ShouldBe((0, 0, 0), result + Details(letters, api, requests));
        open.ShouldBeEmpty(result);
        api.Mixed.ShouldBe(0, result);
        letters.ShouldNotBeEmpty(result);
        underWay.ShouldBeGreaterThan(0, result);
        // The application sent those again of which it did not know the end; nobody else made a second letter.
        twice.ShouldAllBe(g => g.Count() <= sent[g.Key], result);
        await ShouldBeSoundAsync();

        void Send(WorkerProcess worker)
        {
            foreach (var (number, key) in open.OrderBy(_ => random.Next()))
            {
                sent[key] = sent.GetValueOrDefault(key) + 1;
                worker.Tell($"send {number} {key}");
            }
        }

        void Ended(WorkerProcess worker)
        {
            foreach (string[] words in worker.Lines.Select(l => l.Split(' ')).Where(w => w[0] == "ended"))
            {
                // Told in time that it could not be kept: the application's again.
                if (words[2] == "refused")
                    refused++;
                else
                    open.Remove(int.Parse(words[1], CultureInfo.InvariantCulture));
            }
        }
    }

    private static async Task UntilItsTimeAsync(WorkerProcess worker, Random random)
    {
        var (kind, ended, milliseconds) = (random.Next(8), random.Next(1, 10), random.Next(50, 900));
        if (kind == 0)
        {
            // While it starts: the first times, while it makes the schema.
            await Task.Delay(milliseconds / 2, Stop);
            return;
        }

        await worker.UntilAsync("ready");
        // By the clock, or, as a slow machine does nothing in that time, soon after some of the calls have ended.
        if (kind > 4)
            milliseconds /= await worker.HasSaidAsync("ended", ended, TimeSpan.FromSeconds(10)) ? 20 : 1;
        await Task.Delay(milliseconds, Stop);
    }

    private static string Details(List<DeadLetter> letters, OrdersApi api, int requests) => "\n" + string.Join('\n', letters
        .Where(l => l.Status is not DeadLetterStatus.Replayed)
        .Select(l => $"stuck {l.IdempotencyKey}: {l.Status}, {l.SuggestedAction}, {l.StatusCode} {l.ErrorType} {l.ErrorTitle}")
        .Concat(Enumerable.Range(1, requests)
            .Where(n => api.Processed(n) != 1)
            .Select(n => $"request {n} was processed {api.Processed(n)} times; its letters: {string.Join(", ", Statuses(letters, n))}"))
        .Take(20));

    private static IEnumerable<DeadLetterStatus> Statuses(List<DeadLetter> letters, int request) =>
        letters.Where(l => l.IdempotencyKey!.EndsWith($":{request}", StringComparison.Ordinal)).Select(l => l.Status);
}
