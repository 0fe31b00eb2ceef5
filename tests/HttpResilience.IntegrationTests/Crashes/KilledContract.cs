using System.Diagnostics;
using System.Globalization;
using HttpResilience.CrashWorker;

namespace HttpResilience.IntegrationTests.Crashes;

/// <summary>
/// An application that is killed with SIGKILL and restarted on the same store, many times.
/// <para>
/// The package completes every call that ended for the application, by a success or a dead letter. The application itself repeats the calls
/// that were in flight at the kill, under the same key, from its own table. Every request must be processed exactly once in the end.
/// </para>
/// The environment variable HTTPRESILIENCE_CRASH_ROUNDS is the number of kills on SQLite; PostgreSQL gets a quarter of it.
/// Default: 12 and 6. HTTPRESILIENCE_CRASH_SEED repeats the moments and faults of a run, as far as the timing of the
/// machine allows. 200 rounds take some minutes.
/// </summary>
public abstract class KilledContract : CrashContract
{
    private const int RequestsPerRound = 10, MaxOpen = 20;

    private protected virtual int Rounds =>
        Environment.GetEnvironmentVariable("HTTPRESILIENCE_CRASH_ROUNDS") is not { } rounds ? IsPostgreSql ? 6 : 12
        : int.Parse(rounds, CultureInfo.InvariantCulture) / (IsPostgreSql ? 4 : 1);

    // The time between two processes: none, the lease of the killed one, the first backoff, or longer.
    private static readonly TimeSpan[] Gaps =
        [TimeSpan.Zero, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(31), TimeSpan.FromSeconds(61), TimeSpan.FromMinutes(4)];

    [Fact]
    public async Task An_application_killed_at_any_moment_loses_and_duplicates_no_request()
    {
        long began = Stopwatch.GetTimestamp();
        var random = new Random(Seed);
        await using var api = await OrdersApi.StartAsync(Seed);
        api.IsFaulty = true;
        // Number and key of each call whose end the application does not know, and how often it has sent it.
        Dictionary<int, string> open = [];
        Dictionary<string, int> sent = [];
        var (ahead, requests, underWay, refused) = (TimeSpan.Zero, 0, 0, 0);
        int rounds = 0;
        // On a slow machine the first processes may be killed before any of their calls failed.
        while (rounds < Rounds || (rounds < 10 * Rounds && !await HasSeenEnoughAsync()))
        {
            int round = ++rounds;
            for (int i = 0; i < RequestsPerRound && open.Count < MaxOpen; i++)
                open.Add(++requests, $"round-{round}:{requests}");
            ahead += Gaps[random.Next(Gaps.Length)];
            await using var worker = WorkerProcess.Start(Changed(Settings(api, $"round-{round}", ahead), random));
            Send(worker);
            await UntilItsTimeAsync(worker, random);
            await worker.KillAsync();
            Killed(worker);
            Ended(worker);
            underWay += open.Count;
        }

        api.IsFaulty = false;
        int reviewed = 0;
        List<DeadLetter> letters;
        do
        {
            ahead += TimeSpan.FromHours(7);
            await using var last = WorkerProcess.Start(Changed(Settings(api, "last", ahead), null));
            await UntilCompleteAsync();
            Send(last);
            last.Tell("finish");
            await last.UntilAsync("drained", TimeSpan.FromMinutes(2));
            await last.StopAsync();
            Ended(last);
            letters = await AllLettersAsync();
        }
        while (await ReviewAsync(letters) is > 0 and var some && (reviewed += some) < requests);

        int lost = Enumerable.Range(1, requests).Count(n => api.Processed(n) == 0);
        int duplicated = Enumerable.Range(1, requests).Count(n => api.Processed(n) > 1);
        int stuck = letters.Count(l => l.Status is not DeadLetterStatus.Replayed);
        var twice = letters.GroupBy(l => l.IdempotencyKey!).Where(g => g.Count() > 1).ToList();
        string result = $"{(IsPostgreSql ? "PostgreSQL" : "SQLite")}: rounds={rounds} requests={requests} letters={letters.Count} "
            + $"lost={lost} duplicated={duplicated} stuck={stuck} "
            + $"seconds={Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} seed={Seed} (in flight at a kill: {underWay}, "
            + $"not stored and reported: {refused}, in review after three kills: {reviewed}, "
            + $"keys with more than one letter: {twice.Count}, "
            + $"requests on the wire: {api.Arrivals.Count}, in flight twice at once: {api.Overlaps})";
        Print(result);
        (lost, duplicated, stuck).ShouldBe((0, 0, 0), result + Details(letters, api, requests));
        open.ShouldBeEmpty(result);
        api.Mixed.ShouldBe(0, result);
        letters.ShouldNotBeEmpty(result);
        underWay.ShouldBeGreaterThan(0, result);
        // A key has a second letter only if the application has sent its call again.
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
                // The letter could not be stored and the call said so, so the application sends it again.
                if (words[2] == "refused")
                    refused++;
                else
                    open.Remove(int.Parse(words[1], CultureInfo.InvariantCulture));
            }
        }
    }

    /// <summary>The settings of the next process.</summary>
    /// <param name="random">Null for the last one.</param>
    private protected virtual WorkerSettings Changed(WorkerSettings settings, Random? random) => settings;

    /// <summary>Whether the kills so far have hit what the test is about.</summary>
    private protected virtual async Task<bool> HasSeenEnoughAsync() => (await AllLettersAsync()).Count > 0;

    /// <summary>A process was killed.</summary>
    private protected virtual void Killed(WorkerProcess worker)
    {
    }

    /// <summary>Waits until the last process has found everything it needs.</summary>
    private protected virtual Task UntilCompleteAsync() => Task.CompletedTask;

    // A letter that was in flight at three kills in a row requires review; a person would know that the letter is not the cause.
    private async Task<int> ReviewAsync(IEnumerable<DeadLetter> letters)
    {
        var store = Database.Open().DeadLetters;
        int reviewed = 0;
        foreach (var letter in letters.Where(l => l is { Status: DeadLetterStatus.RequiresReview, Takeovers: >= 3 }))
        {
            var due = letter with
            {
                Status = DeadLetterStatus.Pending,
                SuggestedAction = null,
                Takeovers = 0,
                Resolution = new("Replay", null, "test", letter.DueAt),
            };
            if (await store.UpdateAsync(due, Stop))
                reviewed++;
        }

        return reviewed;
    }

    private static async Task UntilItsTimeAsync(WorkerProcess worker, Random random)
    {
        var (kind, ended, milliseconds) = (random.Next(8), random.Next(1, 10), random.Next(50, 900));
        if (kind == 0)
        {
            // A kill during the start; the first ones hit the creation of the schema.
            await Task.Delay(milliseconds / 2, Stop);
            return;
        }

        await worker.UntilAsync("ready");
        // At a given time, or soon after some calls have ended, because a slow machine does nothing in that time.
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
