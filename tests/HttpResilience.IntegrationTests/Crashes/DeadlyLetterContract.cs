using System.Text;

namespace HttpResilience.IntegrationTests.Crashes;

/// <summary>A letter whose sending kills the process.</summary>
public abstract class DeadlyLetterContract : CrashContract
{
    private const int Starts = 12;

    [Theory, InlineData(0), InlineData(1), InlineData(30)]
    public async Task A_letter_that_kills_its_process_three_times_requires_review_and_the_others_are_sent(int others)
    {
        await using var api = await OrdersApi.StartAsync(1);
        var store = Database.Open().DeadLetters;
        var letters = Enumerable.Range(0, others + 1).Select(i => Letter(api, i)).ToList();
        foreach (var letter in letters)
            await store.AddAsync(letter, Stop);

        int deaths = 0;
        while (deaths < Starts)
        {
            // The leases of the process that died have ended.
            var settings = Settings(api, $"start-{deaths}", deaths * TimeSpan.FromMinutes(1)) with { DiesOf = "key-0" };
            await using var worker = WorkerProcess.Start(settings);
            worker.Tell("finish");
            if (await worker.HasSaidAsync("drained", 1, TimeSpan.FromMinutes(2)))
            {
                await worker.StopAsync();
                break;
            }

            await worker.EndedAsync();
            deaths++;
        }

        deaths.ShouldBe(3);
        var all = await AllLettersAsync();
        var deadly = all.Single(l => l.Id == letters[0].Id);
        (deadly.Status, deadly.SuggestedAction).ShouldBe(
            (DeadLetterStatus.RequiresReview, "Check why the process ends while it is sent; then replay it"));
        deadly.Replays.ShouldBe(3);
        all.Where(l => l.Id != deadly.Id).ShouldAllBe(l => l.Status == DeadLetterStatus.Replayed);
        Enumerable.Range(1, others).ShouldAllBe(n => api.Processed(n) == 1);
        api.Processed(0).ShouldBe(0);
    }

    // All due, the deadly one among the others.
    private DeadLetter Letter(OrdersApi api, int number) => Order(
        api.Uri, number, Encoding.UTF8.GetBytes($"{number}"), Epoch.AddMinutes(-10).AddSeconds(number == 0 ? 3.5 : number));
}
