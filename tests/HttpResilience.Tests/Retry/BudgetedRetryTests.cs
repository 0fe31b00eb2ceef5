namespace HttpResilience.Tests.Retry;

/// <summary>The retry budget in the chain.</summary>
public sealed class BudgetedRetryTests
{
    [Theory, InlineData(true), InlineData(false)]
    public async Task When_the_budget_is_spent_the_failure_is_returned_as_it_is(bool async)
    {
        using var chain = new Chain(o =>
        {
            (o.Retry.Budget.RetryRatio, o.Retry.Budget.MinimumThroughput, o.Retry.Budget.MaxWait) = (0, 2, null);
            o.Retry.Delay = TimeSpan.FromMilliseconds(10);
            o.CircuitBreaker.BreakDuration = null;
        });
        chain.Server.Script(Replies.Status(500));

        using var response = await chain.GetAsync(async);

        ((int)response.StatusCode).ShouldBe(500);
        response.GetHttpCall()!.StopReason.ShouldBe(StopReason.BudgetExhausted);
        chain.Server.Requests.Count.ShouldBe(3);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task When_the_budget_is_spent_the_call_waits_until_it_has_room(bool async)
    {
        using var chain = new Chain(o =>
        {
            (o.Retry.Budget.RetryRatio, o.Retry.Budget.MinimumThroughput) = (0, 2);
            (o.Retry.Delay, o.Retry.UseJitter) = (TimeSpan.FromMilliseconds(10), false);
            o.CircuitBreaker.BreakDuration = null;
        });
        chain.Server.Script(Replies.Status(500), Replies.Status(500), Replies.Status(500), Replies.Status(200));

        using var response = await chain.GetAsync(async);

        ((int)response.StatusCode).ShouldBe(200);
        // The first of two retries of one second is taken for half a second older than it is.
        chain.Clock.Elapsed.TotalSeconds.ShouldBeInRange(9, 11);
    }

    [Theory]
    [InlineData(5, null, StopReason.BudgetExhausted)]
    [InlineData(60, 5, StopReason.BudgetExhausted)]
    [InlineData(60, 20, StopReason.Succeeded)]
    public async Task It_waits_neither_beyond_its_deadline_nor_longer_than_MaxWait(int total, int? maxWait, StopReason expected)
    {
        using var chain = new Chain(o =>
        {
            (o.Retry.Budget.RetryRatio, o.Retry.Budget.MinimumThroughput) = (0, 1);
            o.Retry.Budget.MaxWait = TimeSpan.FromSeconds(maxWait ?? 20);
            (o.Retry.Delay, o.Retry.UseJitter) = (TimeSpan.FromMilliseconds(10), false);
            o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(total);
            o.CircuitBreaker.BreakDuration = null;
        });
        chain.Server.Script(Replies.Status(500), Replies.Status(500), Replies.Status(200));

        using var response = await chain.GetAsync();

        response.GetHttpCall()!.StopReason.ShouldBe(expected);
    }

    [Fact]
    public async Task Each_host_has_its_own()
    {
        using var chain = new Chain(o =>
        {
            (o.Retry.Budget.RetryRatio, o.Retry.Budget.MinimumThroughput, o.Retry.Budget.MaxWait) = (0, 1, null);
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
