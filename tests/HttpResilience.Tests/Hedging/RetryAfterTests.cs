namespace HttpResilience.Tests.Hedging;

public sealed class RetryAfterTests
{
    [Theory, InlineData(503, "17"), InlineData(429, "17"), InlineData(500, "17")]
    public async Task A_server_that_asks_to_wait_gets_no_second_request_before(int status, string retryAfter)
    {
        using var chain = HedgedChain.Create();
        chain.Server.Script(Replies.Status(status, ("Retry-After", retryAfter)), Replies.Status(200));

        var sending = chain.GetAsync();
        await chain.Clock.TimerDueInAsync(TimeSpan.FromSeconds(17));
        chain.Clock.Advance(TimeSpan.FromSeconds(17));
        using var response = await sending;

        chain.Server.Requests.Select(s => s.SentAfter.TotalSeconds).ShouldBe([0, 17]);
    }

    [Fact]
    public async Task A_429_without_a_time_is_left_to_the_retry_too()
    {
        using var chain = HedgedChain.Create();
        chain.Server.Script(Replies.Status(429), Replies.Status(200));

        var sending = chain.GetAsync();
        await chain.Clock.TimerDueInAsync(TimeSpan.FromSeconds(1));
        chain.Clock.Advance(TimeSpan.FromSeconds(1));
        using var response = await sending;

        chain.Server.Requests.Select(s => s.SentAfter.TotalSeconds).ShouldBe([0, 1]);
    }

    [Fact]
    public async Task Once_the_server_has_asked_to_wait_no_third_request_goes_out()
    {
        using var chain = HedgedChain.Create(o => o.Hedging.MaxHedgedAttempts = 5);
        var first = HedgedChain.Answer();
        chain.Server.Script(HedgedChain.WhenNotCancelled(first), Replies.Status(503, ("Retry-After", "17")), Replies.Status(200));

        var sending = chain.GetAsync();
        await chain.PassDelayAsync();
        await chain.PausedAsync();
        chain.Clock.Advance(TimeSpan.FromSeconds(10));
        first.SetResult(HedgedChain.Status(200));
        using var response = await sending;

        chain.Server.Requests.Count.ShouldBe(2);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Of_failed_requests_the_longest_wait_asked_for_holds(bool firstAsks)
    {
        using var chain = HedgedChain.Create();
        var first = HedgedChain.Answer();
        var second = HedgedChain.Answer();
        chain.Server.Script(HedgedChain.WhenNotCancelled(first), HedgedChain.WhenNotCancelled(second), Replies.Status(200));

        var sending = chain.GetAsync();
        await chain.PassDelayAsync();
        await chain.SentAsync(2);
        var asking = HedgedChain.Status(503);
        asking.Headers.TryAddWithoutValidation("Retry-After", "17");
        second.SetResult(firstAsks ? HedgedChain.Status(500) : asking);
        first.SetResult(firstAsks ? asking : HedgedChain.Status(500));
        await chain.Clock.TimerDueInAsync(TimeSpan.FromSeconds(17));
        chain.Clock.Advance(TimeSpan.FromSeconds(17));
        using var response = await sending;

        chain.Server.Requests[^1].SentAfter.ShouldBe(HedgedChain.Delay + TimeSpan.FromSeconds(17));
    }

    [Fact]
    public async Task A_host_that_asked_another_call_to_wait_gets_no_second_request()
    {
        using var chain = HedgedChain.Create();
        var first = HedgedChain.Answer();
        chain.Server.Script(HedgedChain.WhenNotCancelled(first), Replies.Status(429, ("Retry-After", "17")), Replies.Status(200));

        var sending = chain.GetAsync();
        await chain.SentAsync(1);
        (await chain.SendAsync(true, Chain.Get().WithMaxRetryAttempts(0))).Dispose();
        await chain.PassDelayAsync();
        chain.Clock.Advance(TimeSpan.FromSeconds(1));
        first.SetResult(HedgedChain.Status(200));
        (await sending).Dispose();

        chain.Server.Requests.Count.ShouldBe(2);
        chain.Logs.WithId(211).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_Retry_After_of_a_loser_applies_to_other_calls()
    {
        using var chain = HedgedChain.Create();
        var first = HedgedChain.Answer();
        chain.Server.Script(HedgedChain.WhenNotCancelled(first), Replies.Status(503, ("Retry-After", "17")), Replies.Status(200));

        var sending = chain.GetAsync();
        await chain.PassDelayAsync();
        await chain.SentAsync(2);
        first.SetResult(HedgedChain.Status(200));
        (await sending).Dispose();

        chain.State.Hosts.GetOrAdd(new(new(new("https://api.test/")), null), chain.State.Policy.MaxHosts, 0).Pause.ShouldNotBeNull()
            .Until.ShouldBe(chain.Clock.GetTimestamp() + chain.State.Policy.ToTimestamp(TimeSpan.FromSeconds(17)));
    }
}
