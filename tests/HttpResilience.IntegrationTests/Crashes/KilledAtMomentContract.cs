using HttpResilience.CrashWorker;

namespace HttpResilience.IntegrationTests.Crashes;

/// <summary>An application that is killed between two writes and restarted on the same store.</summary>
public abstract class KilledAtMomentContract : CrashContract
{
    public static TheoryData<Moment> Moments => [.. Enum.GetValues<Moment>()];

    [Theory, MemberData(nameof(Moments))]
    public async Task An_application_killed_between_two_writes_loses_and_duplicates_no_request(Moment moment)
    {
        await using var api = await OrdersApi.StartAsync(0);
        (api.IsFaulty, api.Always) = (true, Fault.Broken);
        bool isKept = moment is not (Moment.BeforeKeeping or Moment.AfterKeeping);
        if (isKept)
        {
            await using var first = WorkerProcess.Start(AtMachineSpeed(api, "first") with { Replays = false });
            first.Tell("send 1 key-1");
            await first.UntilAsync("ended 1 kept");
            await first.KillAsync();
        }

        api.IsFaulty = !isKept;
        await using (var killed = WorkerProcess.Start(AtMachineSpeed(api, "killed", TimeSpan.FromMinutes(5)) with { HaltsAt = moment }))
        {
            if (!isKept)
                killed.Tell("send 1 key-1");
            await killed.UntilAsync($"at {moment}");
            await killed.KillAsync();
        }

        var left = await AllLettersAsync();
        api.IsFaulty = false;
        await using (var last = WorkerProcess.Start(AtMachineSpeed(api, "last", TimeSpan.FromHours(1))))
        {
            if (!isKept)
                last.Tell("send 1 key-1");
            last.Tell("finish");
            await last.UntilAsync("drained");
            await last.StopAsync();
        }

        left.Select(l => l.Status).ShouldBe(moment switch
        {
            Moment.BeforeKeeping => [],
            Moment.AfterKeeping => [DeadLetterStatus.Pending],
            Moment.AfterResult => [DeadLetterStatus.Replayed],
            _ => [DeadLetterStatus.InProgress],
        });
        api.Processed(1).ShouldBe(1);
        api.Arrivals.Select(a => a.Key).Distinct().ShouldBe(["key-1"]);
        api.Arrivals.Count(a => a.Worker == "last").ShouldBe(moment switch
        {
            // One request of the application and one of the letter.
            Moment.AfterKeeping => 2,
            Moment.AfterResult => 0,
            _ => 1,
        });
        (await AllLettersAsync()).ShouldAllBe(l => l.Status == DeadLetterStatus.Replayed);
        await ShouldBeSoundAsync();
    }

    // Time passes between the processes only: the timeouts of a faster clock would be too short for a busy machine.
    private WorkerSettings AtMachineSpeed(OrdersApi api, string name, TimeSpan ahead = default) =>
        Settings(api, name, ahead) with { Speed = 1 };
}
