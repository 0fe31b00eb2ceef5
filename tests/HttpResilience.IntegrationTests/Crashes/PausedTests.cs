using System.Globalization;
using HttpResilience.IntegrationTests.Storage;

namespace HttpResilience.IntegrationTests.Crashes;

/// <summary>
/// A process is paused (SIGSTOP), as by a debugger, a virtual machine or a swapping host, while its POSTs wait for an answer. When it goes
/// on, its timers and those of <see cref="HttpClient"/> fire at once, in any order: every call has a letter. HTTPRESILIENCE_PAUSES is the
/// number of pauses and HTTPRESILIENCE_PAUSED_CALLS that of the calls in each. Default: 1 and 20.
/// </summary>
[Collection("Crashes on SQLite")]
public sealed class PausedTests
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private static int Rounds => Setting("HTTPRESILIENCE_PAUSES", 1);

    private static int Calls => Setting("HTTPRESILIENCE_PAUSED_CALLS", 20);

    [Fact]
    public async Task A_process_that_was_paused_has_a_letter_for_each_call_that_waited()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There is no SIGSTOP.");
        await using var database = new SqliteTestDatabase();
        await using var server = await KestrelServer.StartAsync(Reply.Silence);
        for (int round = 1; round <= Rounds; round++)
        {
            int before = server.Count;
            await using var worker = WorkerProcess.Start(new()
            {
                Name = "paused",
                IsPostgreSql = false,
                ConnectionString = database.ConnectionString,
                Api = server.Uri,
                Replays = false,
                MaxConcurrency = Calls,
                // The chain's own deadline is at 4.5 s: it passes in the pause.
                ClientTimeout = Pause,
            });
            for (int i = 0; i < Calls; i++)
                worker.Tell($"send {i} {round}:{i}");
            // On a slow machine some calls may have ended before all were sent.
            await Eventually.BeAsync(() => server.Count - before + Ended(worker).Count >= Calls);

            await worker.SignalAsync("STOP");
            await Task.Delay(Pause, TestContext.Current.CancellationToken);
            await worker.SignalAsync("CONT");

            (await worker.HasSaidAsync("ended ", Calls, ResilientClientUnderTest.Hang)).ShouldBeTrue();
            Ended(worker).Count(l => l.EndsWith("kept", StringComparison.Ordinal)).ShouldBe(Calls, string.Join('\n', worker.Lines));
            await worker.StopAsync();
            long letters = await CountAsync(database);
            TestContext.Current.TestOutputHelper?.WriteLine($"pause {round}: {Calls} calls, {letters} letters so far");
            letters.ShouldBe(round * Calls);
        }
    }

    private static List<string> Ended(WorkerProcess worker) =>
        [.. worker.Lines.Where(l => l.StartsWith("ended ", StringComparison.Ordinal))];

    private static async Task<long> CountAsync(SqliteTestDatabase database)
    {
        var counts = await database.Open().DeadLetters.CountAsync(TestContext.Current.CancellationToken);
        // A timeout may have been processed; with a key it may be sent again.
        return counts[DeadLetterStatus.Pending];
    }

    private static int Setting(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { } value ? int.Parse(value, CultureInfo.InvariantCulture) : otherwise;
}
