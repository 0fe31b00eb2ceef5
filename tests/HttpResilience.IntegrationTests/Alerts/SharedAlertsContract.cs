using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using HttpResilience.IntegrationTests.Crashes;

namespace HttpResilience.IntegrationTests.Alerts;

/// <summary>
/// One outage that three processes on one store observe: the webhook gets one alert and one all-clear, also when the store or a process
/// ends in the middle.
/// </summary>
public abstract class SharedAlertsContract : CrashContract
{
    private const string Load = "load 3000 k";

    private readonly ConcurrentQueue<Notification> _received = new();

    private static int Rounds { get; } =
        int.Parse(Environment.GetEnvironmentVariable("HTTPRESILIENCE_ALERT_ROUNDS") ?? "1", CultureInfo.InvariantCulture);

    /// <summary>Makes the store fail for every process, until the result is disposed.</summary>
    protected abstract Task<IAsyncDisposable> StopStoreAsync();

    [Fact]
    public Task One_outage_is_one_alert_and_one_end() => RunAsync((_, _, _) => Task.CompletedTask);

    [Fact]
    public Task An_outage_during_which_the_store_stops_and_comes_back_is_one_alert_and_one_end() => RunAsync(async (random, _, _) =>
    {
        await using var stopped = await StopStoreAsync();
        await PauseAsync(random);
    });

    [Fact]
    public Task An_outage_whose_end_comes_while_the_store_is_stopped_is_one_alert_and_one_end() => RunAsync(async (random, _, end) =>
    {
        await using var stopped = await StopStoreAsync();
        await PauseAsync(random);
        end();
        // From memory.
        await Eventually.BeAsync(() => Ended.Length == 1);
        await PauseAsync(random);
    });

    [Fact]
    public Task An_outage_whose_alert_came_from_a_process_that_is_killed_ends_once() => RunAsync(async (random, workers, _) =>
    {
        await PauseAsync(random);
        var sender = workers.Single(w => w.Name == Started.Single().Sender);
        workers.Remove(sender);
        await sender.Process.KillAsync();
    });

    private Notification[] Started => [.. _received.Where(n => n.Phase == "Started")];

    private Notification[] Ended => [.. _received.Where(n => n.Phase == "Ended")];

    private async Task RunAsync(Func<Random, List<(string Name, WorkerProcess Process)>, Action, Task> middle)
    {
        for (int round = 1; round <= Rounds; round++)
        {
            _received.Clear();
            int seed = Seed + round;
            await RunAsync(new Random(seed), seed, middle);
            Print(string.Create(CultureInfo.InvariantCulture,
                $"round {round} of {Rounds}, seed {seed}: {Started.Length} alert, {Ended.Length} end"));
        }
    }

    private async Task RunAsync(Random random, int seed, Func<Random, List<(string Name, WorkerProcess Process)>, Action, Task> middle)
    {
        await using var receiver = await KestrelServer.StartAsync(async context =>
        {
            var alert = await JsonSerializer.DeserializeAsync<JsonElement>(context.Request.Body);
            _received.Enqueue(new(
                alert.GetProperty("id").GetString()!, alert.GetProperty("phase").GetString()!, context.Request.Path.Value![1..],
                alert.GetProperty("title").GetString()!));
        });
        await using var api = await OrdersApi.StartAsync(seed);
        api.Always = Fault.Busy;
        api.IsFaulty = true;
        List<(string Name, WorkerProcess Process)> workers = [];
        var started = new List<WorkerProcess>();
        try
        {
            foreach (string name in new[] { "a", "b", "c" })
            {
                var process = WorkerProcess.Start(Settings(api, name) with
                {
                    KeepsLetters = false,
                    Replays = false,
                    Alerts = new(receiver.Uri, name),
                    MaxConcurrency = 1,
                    // A busy machine needs the time of the store.
                    Speed = 5,
                });
                workers.Add((name, process));
                started.Add(process);
            }

            foreach (var (_, process) in workers)
                await process.UntilAsync("ready");
            workers.ForEach(w => w.Process.Tell(Load));
            await Eventually.BeAsync(() => Started.Length > 0);
            await AllObserveAsync();

            await middle(random, workers, () => api.IsFaulty = false);
            api.IsFaulty = false;

            await Eventually.BeAsync(() => Ended.Length > 0);
            // Each process looks again, several times.
            await Task.Delay(TimeSpan.FromSeconds(5 + (5 * random.NextDouble())), Stop);
            _received.Select(n => (n.Id, n.Phase)).ShouldBe(
                [(Started[0].Id, "Started"), (Started[0].Id, "Ended")],
                string.Join('\n', _received.Select(n => $"{n.Phase} {n.Title} {n.Sender}")));
        }
        finally
        {
            foreach (var process in started)
                await process.DisposeAsync();
        }
    }

    private async Task AllObserveAsync()
    {
        var incidents = Database.Open(application: "HttpResilience.IntegrationTests").Incidents;
        using var limit = new CancellationTokenSource(ResilientClientUnderTest.Hang);
        while (!(await incidents.ListAsync(limit.Token)).Any(i => i.SentAt is not null && i.SeenBy.Count == 3))
            await Task.Delay(20, limit.Token);
    }

    // Up to four looks of each process.
    private static Task PauseAsync(Random random) => Task.Delay(TimeSpan.FromSeconds(4 * random.NextDouble()), Stop);

    /// <summary>What the webhook received.</summary>
    /// <param name="Sender">The process.</param>
    private sealed record Notification(string Id, string Phase, string Sender, string Title);
}
