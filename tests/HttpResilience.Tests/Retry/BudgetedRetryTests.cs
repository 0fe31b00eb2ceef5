namespace HttpResilience.Tests.Retry;

/// <summary>The retry budget in the chain.</summary>
public sealed class BudgetedRetryTests
{
    [Theory, InlineData(true), InlineData(false)]
    public async Task When_the_budget_is_spent_the_failure_is_returned_as_it_is(bool async)
    {
        using var chain = new Chain(o =>
        {
            (o.Retry.Budget.RetryRatio, o.Retry.Budget.MinimumThroughput) = (0, 2);
            o.Retry.Delay = TimeSpan.FromMilliseconds(10);
            o.CircuitBreaker.BreakDuration = null;
        });
        chain.Server.Script(Replies.Status(500));

        using var response = await chain.GetAsync(async);

        ((int)response.StatusCode).ShouldBe(500);
        response.GetHttpCall()!.StopReason.ShouldBe(StopReason.BudgetExhausted);
        chain.Server.Requests.Count.ShouldBe(3);
    }

    [Fact]
    public async Task Each_host_has_its_own()
    {
        using var chain = new Chain(o =>
        {
            (o.Retry.Budget.RetryRatio, o.Retry.Budget.MinimumThroughput) = (0, 1);
            (o.Retry.MaxRetryAttempts, o.Retry.Delay) = (1, TimeSpan.FromMilliseconds(10));
            o.CircuitBreaker.BreakDuration = null;
        });
        chain.Server.Script(Replies.Status(500));

        foreach (var (uri, expected) in new[]
        {
            ("https://a.test/", StopReason.AttemptsExhausted),
            ("https://a.test/", StopReason.BudgetExhausted),
            ("https://b.test/", StopReason.AttemptsExhausted)
        })
        {
            using var response = await chain.SendAsync(true, Chain.Get(uri));
            response.GetHttpCall()!.StopReason.ShouldBe(expected, uri);
        }
    }

    [Fact]
    public async Task Without_a_ratio_there_is_no_limit()
    {
        using var chain = new Chain(o =>
        {
            o.Retry.Budget.RetryRatio = null;
            o.Retry.Delay = TimeSpan.FromMilliseconds(1);
            o.CircuitBreaker.BreakDuration = null;
        });
        chain.Server.Script(Replies.Status(500));

        for (int i = 0; i < 20; i++)
            (await chain.GetAsync()).Dispose();

        chain.Server.Requests.Count.ShouldBe(80);
    }
}
