using System.Data.Common;
using System.Diagnostics;
using System.Globalization;

namespace HttpResilience.IntegrationTests.Crashes;

/// <summary>
/// A rolling update: a process that knows version 1 of the schema goes on while a new one migrates the store under it. Both send calls,
/// keep letters and replay those of the other, and one of them is killed.
/// <para>
/// <c>.ci/prove mixed</c> builds the old worker and runs this; the tests are compiled only if HTTPRESILIENCE_OLD_WORKER, the path of its
/// executable, is set. HTTPRESILIENCE_MIXED_ROUNDS is the number of rounds, each on an empty store (20), and HTTPRESILIENCE_CRASH_SEED
/// repeats a run.
/// </para>
/// </summary>
public abstract class MixedVersionsContract : CrashContract
{
    private const string Old = "old", New = "new", Successor = "successor";

    // What the restarted process of the old version says of either store.
    private const string Refusal = "knows 1: nothing was changed; update the package.";

    // The number of steps is the same for both stores.
    private static readonly int Newest = SqliteSchema.Current.Steps.Count;

    private static readonly TimeSpan AtMost = TimeSpan.FromMinutes(2);

    private static int Rounds { get; } =
        int.Parse(Environment.GetEnvironmentVariable("HTTPRESILIENCE_MIXED_ROUNDS") ?? "20", CultureInfo.InvariantCulture);

    /// <summary>Reads the version of the schema.</summary>
    protected abstract string VersionSql { get; }

    [Fact]
    public async Task A_process_of_the_old_version_that_runs_on_loses_and_duplicates_no_request()
    {
        string oldWorker = Environment.GetEnvironmentVariable("HTTPRESILIENCE_OLD_WORKER").ShouldNotBeNull("Run .ci/prove mixed.");
        long began = Stopwatch.GetTimestamp();
        List<Round> rounds = [];
        while (rounds.Count < Rounds)
        {
            rounds.Add(await RunAsync(oldWorker, rounds.Count + 1));
            // The next round begins with an empty store.
            await DisposeAsync();
            await InitializeAsync();
        }

        Print($"{Store}: rounds={Rounds} requests={rounds.Sum(r => r.Requests)} letters={rounds.Sum(r => r.Letters)} "
            + $"lost={rounds.Sum(r => r.Lost)} duplicated={rounds.Sum(r => r.Duplicated)} stuck={rounds.Sum(r => r.Stuck)} "
            + $"seconds={Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} seed={Seed} (killed: old {rounds.Count(r => r.KilledOld)}, "
            + $"new {rounds.Count(r => !r.KilledOld)}; restarted old processes refused: {rounds.Count(r => r.IsRefused)}; "
            + $"not stored and reported: {rounds.Sum(r => r.Refused)}; letters of the old sent by the new: {rounds.Sum(r => r.OldByNew)}, "
            + $"of the new by the old: {rounds.Sum(r => r.NewByOld)})");
        // In a few rounds one of them may be killed before it replays.
        if (Rounds >= 10)
            (rounds.Any(r => r.OldByNew > 0), rounds.Any(r => r.NewByOld > 0)).ShouldBe((true, true));
    }

    [Fact]
    public async Task A_process_of_the_old_version_sends_no_protected_letter()
    {
        string oldWorker = Environment.GetEnvironmentVariable("HTTPRESILIENCE_OLD_WORKER").ShouldNotBeNull("Run .ci/prove mixed.");
        var ring = Directory.CreateTempSubdirectory("key-ring-");
        await using var api = await OrdersApi.StartAsync(Seed);
        await using var old = WorkerProcess.Start(Settings(api, Old), executable: oldWorker);
        old.Tell("send 1 key-1");
        (await old.HasSaidAsync("ended", 1, AtMost)).ShouldBeTrue(string.Join('\n', old.Lines));
        await using (var process = new Storage.ProtectedProcess(Database, ring.FullName, "orders"))
        {
            for (int number = 2; number <= 21; number++)
            {
                await process.Letters.AddAsync(
                    Order(api.Uri, number, System.Text.Encoding.UTF8.GetBytes($"{number}"), Epoch) with { ProtectedWith = "" }, Stop);
            }
        }

        while ((await AllLettersAsync()).Count(l => l.Status is DeadLetterStatus.RequiresReview) < 20)
            await Task.Delay(20, Stop);

        api.Arrivals.ShouldAllBe(a => a.Key == "key-1");
        old.Lines.ShouldContain(l => l.Contains("cannot be read", StringComparison.Ordinal));
        await old.KillAsync();
        await using var @new = WorkerProcess.Start(Settings(api, New) with { KeyRing = ring.FullName });
        await @new.UntilAsync("ready");
        @new.Tell("replay-all");
        @new.Tell("finish");
        await @new.UntilAsync("drained", AtMost);
        await @new.StopAsync();
        Enumerable.Range(2, 20).ShouldAllBe(n => api.Processed(n) == 1);
        (await AllLettersAsync()).ShouldAllBe(l => l.Status == DeadLetterStatus.Replayed);
        ring.Delete(recursive: true);
    }

    private string Store => IsPostgreSql ? "PostgreSQL" : "SQLite";

    private async Task<Round> RunAsync(string oldWorker, int round)
    {
        long began = Stopwatch.GetTimestamp();
        var random = new Random(Seed + round);
        var calls = new Calls();
        await using var api = await OrdersApi.StartAsync(Seed + round);

        // All calls fail until the old process has created the schema, so that there are letters.
        (api.IsFaulty, api.Always) = (true, Fault.Busy);
        await using var old = WorkerProcess.Start(Settings(api, Old), executable: oldWorker);
        calls.Send(old, Old, 10);
        (await old.HasSaidAsync("ended", 1, AtMost)).ShouldBeTrue(string.Join('\n', old.Lines));
        await UntilVersionAsync(1, old);
        api.Always = null;
        await Task.Delay(random.Next(1500), Stop);

        await using var @new = WorkerProcess.Start(Settings(api, New));
        calls.Send(@new, New, 10);
        calls.Send(old, Old, 5);
        bool duringMigration = random.Next(4) == 0;
        if (!duringMigration)
        {
            await UntilVersionAsync(Newest, @new);
            calls.Send(@new, New, 5);
            calls.Send(old, Old, 5);
        }

        // The first replays come 6 s after the failures.
        await Task.Delay(random.Next(duringMigration ? 1500 : 9000), Stop);
        bool killsOld = random.Next(2) == 0;
        var killed = killsOld ? old : @new;
        await killed.KillAsync();
        long killedAfter = Stopwatch.GetTimestamp();
        calls.Ended(killed);
        await using var successor = WorkerProcess.Start(Settings(api, Successor));
        calls.SendAgain(successor, killsOld ? Old : New);
        await UntilVersionAsync(Newest, successor);

        // An old process that starts now keeps nothing, and says why.
        await using var restarted = WorkerProcess.Start(Settings(api, "restarted"), executable: oldWorker);
        api.Always = Fault.Busy;
        calls.Send(restarted, "restarted", 1);
        (await restarted.HasSaidAsync("ended", 1, AtMost)).ShouldBeTrue(string.Join('\n', restarted.Lines));
        // The call may have ended by its timeout before the store was asked.
        await Eventually.BeAsync(() => restarted.Lines.Any(
            l => l.Contains($"version {Newest}, and", StringComparison.Ordinal) && l.EndsWith(Refusal, StringComparison.Ordinal)));
        api.Always = null;
        await restarted.KillAsync();
        bool isRefused = restarted.Lines.Any(
            l => l.StartsWith("ended", StringComparison.Ordinal) && l.EndsWith("refused", StringComparison.Ordinal));
        calls.Ended(restarted);

        // The old ones are scaled down last.
        foreach (var worker in (WorkerProcess[])[@new, successor, old])
        {
            if (worker == killed)
                continue;
            await worker.StopAsync();
            calls.Ended(worker);
        }

        api.IsFaulty = false;
        await using var last = WorkerProcess.Start(Settings(api, "last", TimeSpan.FromHours(7)));
        calls.SendAgain(last);
        last.Tell("finish");
        await last.UntilAsync("drained", AtMost);
        await last.StopAsync();
        calls.Ended(last);

        var letters = await AllLettersAsync();
        var result = new Round
        {
            KilledOld = killsOld,
            IsRefused = isRefused,
            Requests = calls.Count,
            Letters = letters.Count,
            Lost = Enumerable.Range(1, calls.Count).Count(n => api.Processed(n) == 0),
            Duplicated = Enumerable.Range(1, calls.Count).Count(n => api.Processed(n) > 1),
            Stuck = letters.Count(l => l.Status is not DeadLetterStatus.Replayed),
            Refused = calls.Refused,
            OldByNew = Others(Old, New, Successor),
            NewByOld = Others(New, Old),
        };
        string line = $"{Store} round {round}, seed {Seed + round}: {(killsOld ? Old : New)} killed "
            + $"{(duringMigration ? "while the new one starts" : "when both run")}, "
            + $"{Stopwatch.GetElapsedTime(began, killedAfter).TotalSeconds:0.0} s after the start; "
            + $"requests={result.Requests} letters={result.Letters} lost={result.Lost} duplicated={result.Duplicated} stuck={result.Stuck} "
            + $"restarted old refused={isRefused} not stored and reported={result.Refused} "
            + $"old letters by new={result.OldByNew} new letters by old={result.NewByOld}";
        Print(line);
        string details = line + string.Concat(letters.Where(l => l.Status is not DeadLetterStatus.Replayed).Select(
            l => $"\nstuck {l.IdempotencyKey}: {l.Status}, {l.SuggestedAction}, takeovers {l.Takeovers}"))
            + string.Concat(old.Lines.Concat(restarted.Lines)
                .Where(l => l.StartsWith("log", StringComparison.Ordinal)).Select(l => $"\n{l}"));
        (result.Lost, result.Duplicated, result.Stuck, result.IsRefused).ShouldBe((0, 0, 0, true), details);
        calls.Open.ShouldBeEmpty(details);
        api.Mixed.ShouldBe(0, details);
        // A key has a second letter only if the application has sent its call again.
        letters.GroupBy(l => l.IdempotencyKey!).ShouldAllBe(g => g.Count() <= calls.Sent[g.Key], details);
        await ShouldBeSoundAsync();
        return result;

        // The letters of one process that another has sent; of a call that was sent again it is not known.
        int Others(string of, params string[] by) => api.Arrivals
            .Where(a => a.Key.StartsWith($"{of}:", StringComparison.Ordinal) && calls.Sent[a.Key] == 1 && by.Contains(a.Worker))
            .DistinctBy(a => a.Key).Count();
    }

    private async Task UntilVersionAsync(int version, WorkerProcess worker)
    {
        await worker.UntilAsync("ready", AtMost);
        long began = Stopwatch.GetTimestamp();
        while (await VersionAsync() != version)
        {
            Stopwatch.GetElapsedTime(began).ShouldBeLessThan(AtMost, string.Join('\n', worker.Lines));
            await Task.Delay(20, Stop);
        }
    }

    private async Task<long> VersionAsync()
    {
        try
        {
            return Convert.ToInt64(await Database.ScalarAsync(VersionSql), CultureInfo.InvariantCulture);
        }
        catch (DbException)
        {
            // The old process has not created it yet.
            return 0;
        }
    }

    /// <summary>The application's own table: it repeats, under the same key, each call whose end it does not know.</summary>
    private sealed class Calls
    {
        internal Dictionary<int, string> Open { get; } = [];

        internal Dictionary<string, int> Sent { get; } = [];

        internal int Count { get; private set; }

        internal int Refused { get; private set; }

        internal void Send(WorkerProcess worker, string name, int count)
        {
            for (int i = 0; i < count; i++)
                Open.Add(++Count, $"{name}:{Count}");
            for (int number = Count - count + 1; number <= Count; number++)
                Send(worker, number, Open[number]);
        }

        internal void SendAgain(WorkerProcess worker, string of = "")
        {
            foreach (var (number, key) in Open.Where(c => c.Value.StartsWith(of, StringComparison.Ordinal)))
                Send(worker, number, key);
        }

        private void Send(WorkerProcess worker, int number, string key)
        {
            Sent[key] = Sent.GetValueOrDefault(key) + 1;
            worker.Tell($"send {number} {key}");
        }

        internal void Ended(WorkerProcess worker)
        {
            foreach (string[] words in worker.Lines.Select(l => l.Split(' ')).Where(w => w[0] == "ended"))
            {
                // The letter could not be stored and the call said so, so the application sends it again.
                if (words[2] == "refused")
                    Refused++;
                else
                    Open.Remove(int.Parse(words[1], CultureInfo.InvariantCulture));
            }
        }
    }

    private sealed record Round
    {
        public required bool KilledOld { get; init; }

        public required bool IsRefused { get; init; }

        public required int Requests { get; init; }

        public required int Letters { get; init; }

        public required int Lost { get; init; }

        public required int Duplicated { get; init; }

        public required int Stuck { get; init; }

        public required int Refused { get; init; }

        public required int OldByNew { get; init; }

        public required int NewByOld { get; init; }
    }
}
