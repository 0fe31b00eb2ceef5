using HttpResilience.Tests.CircuitBreaker;

namespace HttpResilience.Tests.Retry;

/// <summary>A Retry-After holds back all calls to the host, not only the one that got it.</summary>
public sealed class HostWidePauseTests
{
    private static readonly TimeSpan Asked = TimeSpan.FromSeconds(20);

    [Theory, InlineData(true, 429), InlineData(false, 429), InlineData(true, 503)]
    public async Task Another_call_waits_until_the_pause_ends(bool async, int status)
    {
        using var chain = Paused(status);
        (await chain.SendAsync(true, Chain.Get().WithMaxRetryAttempts(0))).Dispose();

        using var response = await chain.GetAsync(async);

        response.GetHttpCall()!.Attempts.Count.ShouldBe(1);
        chain.Server.Requests.Count.ShouldBe(2);
        (chain.Server.Requests[1].SentAfter - chain.Server.Requests[0].SentAfter).ShouldBeGreaterThanOrEqualTo(Asked);
    }

    [Theory, InlineData(429), InlineData(503)]
    public async Task A_quota_that_is_used_up_holds_back_all_calls_too(int status)
    {
        using var chain = new Chain(o => o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(10));
        chain.Server.Script(Replies.Status(status, ("RateLimit", "\"default\";r=0;t=20")), Replies.Status(200));
        (await chain.SendAsync(true, Chain.Get().WithMaxRetryAttempts(0))).Dispose();

        var thrown = await Assert.ThrowsAsync<RateLimitedException>(() => chain.GetAsync());

        thrown.RetryAfter.ShouldBe(Asked);
        chain.Server.Requests.Count.ShouldBe(1);
    }

    [Theory, InlineData("Retry-After", ""), InlineData("RateLimit", "\"d\";r=0;t="), InlineData("X-Rate-Limit-Reset", "")]
    public async Task The_time_since_1970_holds_back_all_calls_until_then(string field, string before)
    {
        using var chain = new Chain();
        long reset = chain.Clock.GetUtcNow().ToUnixTimeSeconds() + 5;
        chain.Server.Script(Replies.Status(429, (field, $"{before}{reset}")), Replies.Status(200));
        (await chain.SendAsync(true, Chain.Get().WithMaxRetryAttempts(0))).Dispose();

        (await chain.GetAsync()).Dispose();

        chain.Clock.Elapsed.ShouldBeInRange(TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(6));
    }

    [Theory]
    [InlineData("Retry-After", "4000000000"), InlineData("Retry-After", "1000000001"), InlineData("RateLimit", "\"d\";r=0;t=4000000000")]
    public async Task A_time_that_is_past_or_absurd_is_no_pause(string field, string value)
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Status(429, (field, value)), Replies.Status(200));
        (await chain.SendAsync(true, Chain.Get().WithMaxRetryAttempts(0))).Dispose();

        (await chain.GetAsync()).Dispose();

        chain.Clock.Elapsed.ShouldBe(TimeSpan.Zero);
    }

    [Theory, InlineData(200), InlineData(404), InlineData(500)]
    public async Task A_quota_that_another_response_used_up_delays_no_call_when_that_is_off(int status)
    {
        using var chain = new Chain(o => o.Quota.OnSuccess = QuotaOptions.SuccessAction.Off);
        chain.Server.Script(Replies.Status(status, ("RateLimit", "\"default\";r=0;t=20")), Replies.Status(200));
        (await chain.SendAsync(true, Chain.Get().WithMaxRetryAttempts(0))).Dispose();
        var before = chain.Clock.Elapsed;

        (await chain.GetAsync()).Dispose();

        chain.Clock.Elapsed.ShouldBe(before);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_call_that_cannot_wait_so_long_fails_at_once_and_sends_nothing(bool async)
    {
        using var chain = Paused(429, o => o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(10));
        (await chain.SendAsync(true, Chain.Get().WithMaxRetryAttempts(0))).Dispose();
        var before = chain.Clock.Elapsed;

        var thrown = await Assert.ThrowsAsync<RateLimitedException>(() => chain.GetAsync(async));

        thrown.RetryAfter.ShouldBe(Asked);
        thrown.Authority.ShouldBe("https://api.test");
        thrown.GetHttpCall()!.StopReason.ShouldBe(StopReason.RateLimited);
        thrown.GetHttpCall()!.FailureClass.ShouldBe(FailureClass.RateLimited);
        thrown.GetHttpCall()!.Attempts.ShouldBeEmpty();
        chain.Clock.Elapsed.ShouldBe(before);
        chain.Server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Calls_to_another_host_are_not_delayed()
    {
        using var chain = Paused(429);
        (await chain.SendAsync(true, Chain.Get().WithMaxRetryAttempts(0))).Dispose();
        var before = chain.Clock.Elapsed;

        (await chain.SendAsync(true, Chain.Get("https://other.test/"))).Dispose();

        chain.Clock.Elapsed.ShouldBe(before);
    }

    [Theory]
    [InlineData(409)]
    [InlineData(425)]
    [InlineData(500)]
    public async Task A_retry_after_of_another_status_speaks_of_the_one_request(int status)
    {
        using var chain = Paused(status);
        (await chain.SendAsync(true, Chain.Get().WithMaxRetryAttempts(0))).Dispose();
        var before = chain.Clock.Elapsed;

        (await chain.GetAsync()).Dispose();

        chain.Clock.Elapsed.ShouldBe(before);
    }

    [Fact]
    public async Task A_host_cannot_pause_calls_for_longer_than_MaxRetryAfter()
    {
        using var chain = new Chain(o => o.TotalRequestTimeout.Timeout = TimeSpan.FromMinutes(20));
        chain.Server.Script(Replies.Status(429, ("Retry-After", "5184000")), Replies.Status(200));
        (await chain.GetAsync()).Dispose();

        (await chain.GetAsync()).Dispose();

        (chain.Server.Requests[1].SentAfter - chain.Server.Requests[0].SentAfter).ShouldBeInRange(
            TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(5.1));
    }

    [Fact]
    public async Task A_reload_does_not_end_the_pause()
    {
        using var chain = Paused(429, o => o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(10));
        (await chain.SendAsync(true, Chain.Get().WithMaxRetryAttempts(0))).Dispose();
        chain.Reload(("Retry:MaxRetryAttempts", "1"));

        await Assert.ThrowsAsync<RateLimitedException>(() => chain.GetAsync());
    }

    [Fact]
    public async Task No_call_waits_when_hints_are_ignored()
    {
        using var chain = Paused(429, o => o.Retry.ShouldRetryAfterHeader = false);
        (await chain.SendAsync(true, Chain.Get().WithMaxRetryAttempts(0))).Dispose();
        var before = chain.Clock.Elapsed;

        (await chain.GetAsync()).Dispose();

        chain.Clock.Elapsed.ShouldBe(before);
    }

    [Fact]
    public async Task A_pause_is_neutral_for_the_circuit()
    {
        using var chain = Paused(429, o =>
        {
            o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(10);
            o.CircuitBreaker.UseClassic().FailureThreshold = 1;
        });
        (await chain.SendAsync(true, Chain.Get().WithMaxRetryAttempts(0))).Dispose();
        for (int i = 0; i < 10; i++)
            await Assert.ThrowsAsync<RateLimitedException>(() => chain.GetAsync());

        chain.Clock.Advance(Asked);
        (await chain.GetAsync()).Dispose();
    }

    private static Chain Paused(int status, Action<HttpResilienceOptions>? options = null)
    {
        var chain = new Chain(options);
        chain.Server.Script(Replies.Status(status, ("Retry-After", "20")), Replies.Status(200));
        return chain;
    }
}
