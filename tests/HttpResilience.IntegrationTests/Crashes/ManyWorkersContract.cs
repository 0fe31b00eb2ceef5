using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace HttpResilience.IntegrationTests.Crashes;

/// <summary>Three processes that replay the letters of one store.</summary>
public abstract class ManyWorkersContract : CrashContract
{
    private const int Count = 300;

    [Fact]
    public async Task Three_processes_send_each_letter_once()
    {
        await using var api = await StartAsync();
        // The real clock, so that no lease expires in a slow process.
        await using var one = WorkerProcess.Start(Settings(api, "one") with { Speed = 1 });
        await using var two = WorkerProcess.Start(Settings(api, "two") with { Speed = 1 });
        await using var three = WorkerProcess.Start(Settings(api, "three") with { Speed = 1 });
        // All processes must start before the letters are done.
        foreach (var worker in (WorkerProcess[])[one, two, three])
            await worker.UntilAsync("ready");
        long began = Stopwatch.GetTimestamp();
        await AddLettersAsync(api);
        foreach (var worker in (WorkerProcess[])[one, two, three])
            worker.Tell("finish");
        foreach (var worker in (WorkerProcess[])[one, two, three])
        {
            await worker.UntilAsync("drained");
            await worker.StopAsync();
        }

        var letters = await AllLettersAsync();
        Print(Summary(api, letters, began));
        api.Arrivals.GroupBy(a => a.Key).Where(g => g.Count() > 1).ShouldBeEmpty();
        api.Arrivals.Count.ShouldBe(Count);
        api.Overlaps.ShouldBe(0);
        api.Arrivals.Select(a => a.Worker).Distinct().Count().ShouldBe(3);
        letters.ShouldAllBe(l => l.Status == DeadLetterStatus.Replayed && l.Replays == 1);
        await ShouldBeSoundAsync();
    }

    [Fact]
    public async Task The_letters_of_a_killed_process_are_taken_over_when_its_lease_expires()
    {
        await using var api = await StartAsync();
        await AddLettersAsync(api);
        long began = Stopwatch.GetTimestamp();
        await using var killed = WorkerProcess.Start(Settings(api, "killed"));
        // The others would send all of it while this one is still starting.
        await Eventually.BeAsync(() => api.Arrivals.Count > 0);
        await using var two = WorkerProcess.Start(Settings(api, "two"));
        await using var three = WorkerProcess.Start(Settings(api, "three"));
        await Eventually.BeAsync(() => api.Arrivals.Count(a => a.Worker == "killed") >= Count / 10);
        await killed.KillAsync();
        two.Tell("finish");
        three.Tell("finish");
        await two.UntilAsync("drained");
        await three.UntilAsync("drained");
        await two.StopAsync();
        await three.StopAsync();

        var letters = await AllLettersAsync();
        var takenOver = api.Arrivals.GroupBy(a => a.Key).Select(g => g.OrderBy(a => a.At).ToList())
            .Where(a => a.Count > 1 && a[0].Worker == "killed" && a[^1].Worker != "killed")
            .Select(a => Stopwatch.GetElapsedTime(a[0].At, a[^1].At)).ToList();
        string result = Summary(api, letters, began) + $"; sent by the killed process and again by another: {takenOver.Count}"
            + (takenOver.Count == 0 ? "" : $", after {takenOver.Min().TotalSeconds:0.00} to {takenOver.Max().TotalSeconds:0.00} s");
        Print(result);
        Enumerable.Range(1, Count).ShouldAllBe(n => api.Processed(n) == 1, result);
        letters.ShouldAllBe(l => l.Status == DeadLetterStatus.Replayed, result);
        letters.ShouldContain(l => l.MayHaveBeenProcessed, result);
        // At least 20 of the 30 s of the lease were left when it was sent; at ten times the speed that is 2.
        takenOver.ShouldAllBe(t => t > TimeSpan.FromSeconds(1), result);
        await ShouldBeSoundAsync();
    }

    private static string Summary(OrdersApi api, List<DeadLetter> letters, long began) =>
        $"letters={letters.Count} sent={api.Arrivals.Count} "
            + $"({string.Join(", ", api.Arrivals.GroupBy(a => a.Worker).Select(g => $"{g.Key} {g.Count()}"))}) "
            + $"duplicated={Enumerable.Range(1, Count).Count(n => api.Processed(n) > 1)} overlaps={api.Overlaps} "
            + $"seconds={Stopwatch.GetElapsedTime(began).TotalSeconds:0.0}";

    private static async Task<OrdersApi> StartAsync()
    {
        var api = await OrdersApi.StartAsync(0);
        api.Takes = TimeSpan.FromMilliseconds(20);
        return api;
    }

    private async Task AddLettersAsync(OrdersApi api)
    {
        var store = Database.Open().DeadLetters;
        await Task.WhenAll(Enumerable.Range(1, Count).Select(n => store.AddAsync(
            Order(api.Uri, n, Encoding.UTF8.GetBytes(n.ToString(CultureInfo.InvariantCulture)), Epoch), Stop)));
    }
}
