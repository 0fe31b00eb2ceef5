namespace HttpResilience.PageTests.Models;

public sealed class CallMinutesTests
{
    [Fact]
    public void Calls_are_counted_by_minute_for_an_hour()
    {
        var clock = new ManualTimeProvider();
        var minutes = new CallMinutes(clock);
        minutes.Add(isFailure: false, retries: 0);
        minutes.Add(isFailure: true, retries: 1);
        clock.Advance(TimeSpan.FromMinutes(10));
        minutes.Add(isFailure: true, retries: 0);
        var (calls, retries) = minutes.LastHour();
        (calls.Sum, calls.Failed.Sum(), retries).ShouldBe((3, 2, 1));
        (calls.All[^1], calls.All[^11], calls.Failed[^11]).ShouldBe((1, 2, 1));
        calls.By(5).All.Count.ShouldBe(12);
        calls.By(5).Sum.ShouldBe(3);
        clock.Advance(TimeSpan.FromMinutes(50));
        (calls, retries) = minutes.LastHour();
        (calls.Sum, calls.All[^51], retries).ShouldBe((1, 1, 0));
        // A minute an hour later uses the same place of the ring.
        minutes.Add(isFailure: false, retries: 0);
        minutes.LastHour().Calls.Sum.ShouldBe(2);
        clock.Advance(TimeSpan.FromDays(3));
        minutes.LastHour().Calls.Sum.ShouldBe(0);
    }
}
