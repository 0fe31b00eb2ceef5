namespace HttpResilience.Tests.Hedging;

public sealed class HedgingBudgetTests
{
    [Fact]
    public async Task Hedges_come_out_of_the_retry_budget()
    {
        using var chain = HedgedChain.Create(
            o => (o.Retry.Budget.RetryRatio, o.Retry.Budget.MinimumThroughput, o.Retry.Budget.MaxWait) = (0, 3, null));
        chain.Server.Script(Replies.Status(503));
        chain.Clock.SkipsWaits = true;

        // One hedge, a retry, its hedge: then there is nothing left.
        using var response = await chain.GetAsync();

        chain.Server.Requests.Count.ShouldBe(4);
        response.GetHttpCall()!.StopReason.ShouldBe(StopReason.BudgetExhausted);
    }

    [Fact]
    public async Task Without_budget_a_slow_request_is_waited_for()
    {
        using var chain = HedgedChain.Create(o => (o.Retry.Budget.RetryRatio, o.Retry.Budget.MinimumThroughput) = (0, 0));
        var first = HedgedChain.Answer();
        chain.Server.Script(HedgedChain.WhenNotCancelled(first));

        var sending = chain.GetAsync();
        await chain.PassDelayAsync();
        chain.Clock.Advance(TimeSpan.FromSeconds(20));
        first.SetResult(HedgedChain.Status(200));
        (await sending).Dispose();

        chain.Server.Requests.ShouldHaveSingleItem();
        chain.Logs.WithId(211).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_request_that_is_not_hedged_costs_nothing()
    {
        using var chain = HedgedChain.Create(o => (o.Retry.Budget.RetryRatio, o.Retry.Budget.MinimumThroughput) = (0, 1));
        chain.Server.Script(Replies.Status(200), Replies.Status(200), Replies.Status(503), Replies.Status(200));

        for (int i = 0; i < 3; i++)
            (await chain.GetAsync()).Dispose();

        chain.Server.Requests.Count.ShouldBe(4);
    }
}
