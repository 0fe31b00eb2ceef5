namespace HttpResilience.Tests.CircuitBreaker;

public sealed class OpenCircuitTests
{
    private static Chain BreaksAfter(int failures, int retries = 0) => new(o =>
    {
        o.CircuitBreaker.UseClassic();
        o.CircuitBreaker.FailureThreshold = failures;
        o.Retry.MaxRetryAttempts = retries;
    });

    [Theory, InlineData(true), InlineData(false)]
    public async Task An_open_circuit_rejects_at_once_and_sends_nothing(bool async)
    {
        using var chain = BreaksAfter(2, retries: 3);
        chain.Server.Script(Replies.Status(503), Replies.Status(503), Replies.Status(200));
        await Assert.ThrowsAnyAsync<CircuitOpenException>(() => chain.GetAsync(async));
        chain.Clock.Advance(TimeSpan.FromSeconds(10));
        TimeSpan before = chain.Clock.Elapsed;

        var thrown = await Assert.ThrowsAnyAsync<CircuitOpenException>(() => chain.GetAsync(async));

        chain.Server.Requests.Count.ShouldBe(2);
        chain.Clock.Elapsed.ShouldBe(before);
        thrown.Authority.ShouldBe("https://api.test");
        thrown.RetryAfter.ShouldBe(TimeSpan.FromSeconds(20));
        var call = thrown.GetHttpCall()!;
        (call.StopReason, call.FailureClass).ShouldBe((StopReason.CircuitOpen, FailureClass.Transient));
        call.Attempts.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_failure_that_opens_the_circuit_ends_its_own_call_without_a_wait()
    {
        using var chain = BreaksAfter(2, retries: 3);
        chain.Server.Script(Replies.Reset());

        var thrown = await Assert.ThrowsAnyAsync<CircuitOpenException>(() => chain.GetAsync());

        chain.Server.Requests.Select(s => s.SentAfter.TotalSeconds).ShouldBe([0, 1]);
        chain.Clock.Elapsed.ShouldBe(TimeSpan.FromSeconds(1));
        thrown.RetryAfter.ShouldBe(TimeSpan.FromSeconds(30));
        thrown.InnerException.ShouldBeOfType<HttpRequestException>();
        thrown.GetHttpCall()!.Attempts.Count.ShouldBe(2);
        thrown.GetHttpCall()!.StopReason.ShouldBe(StopReason.CircuitOpen);
    }

    [Fact]
    public async Task A_failure_that_opens_the_circuit_and_would_not_be_repeated_is_what_the_caller_gets()
    {
        using var chain = BreaksAfter(1);
        chain.Server.Script(Replies.Status(503));

        using var response = await chain.GetAsync();

        ((int)response.StatusCode).ShouldBe(503);
        response.GetHttpCall()!.StopReason.ShouldBe(StopReason.AttemptsExhausted);
        await Assert.ThrowsAnyAsync<CircuitOpenException>(() => chain.GetAsync());
    }

    [Fact]
    public async Task A_call_that_waits_while_another_opens_the_circuit_sends_nothing_more()
    {
        using var chain = BreaksAfter(3, retries: 1);
        chain.Clock.SkipsWaits = false;
        chain.Server.Script(Replies.Status(503));
        var waiting = chain.GetAsync();
        await chain.Clock.TimerDueInAsync(TimeSpan.FromSeconds(1));
        for (int i = 0; i < 2; i++)
            (await chain.SendAsync(true, Chain.Get().WithMaxRetryAttempts(0))).Dispose();

        chain.Clock.Advance(TimeSpan.FromSeconds(1));

        var thrown = await Assert.ThrowsAnyAsync<CircuitOpenException>(() => waiting);
        thrown.RetryAfter.ShouldBe(TimeSpan.FromSeconds(29));
        thrown.GetHttpCall()!.Attempts.Count.ShouldBe(1);
        chain.Server.Requests.Count.ShouldBe(3);
    }

    [Fact]
    public async Task A_wait_that_ends_after_the_break_is_worth_waiting()
    {
        using var chain =
            new Chain(o => (o.CircuitBreaker.FailureThreshold, o.CircuitBreaker.BreakDuration) = (1, TimeSpan.FromMilliseconds(500)));
        chain.Server.Script(Replies.Status(503), Replies.Status(200));

        using var response = await chain.GetAsync();

        chain.Server.Requests.Select(s => s.SentAfter.TotalSeconds).ShouldBe([0, 1]);
        ((int)response.StatusCode).ShouldBe(200);
    }

    [Theory, InlineData("40", 40), InlineData("5", 30), InlineData("86400", 300)]
    public async Task A_503_opens_for_at_least_as_long_as_the_server_asks_within_reason(string retryAfter, double seconds)
    {
        using var chain = BreaksAfter(1);
        chain.Server.Script(Replies.Status(503, ("Retry-After", retryAfter)));
        (await chain.GetAsync()).Dispose();

        var thrown = await Assert.ThrowsAnyAsync<CircuitOpenException>(() => chain.GetAsync());

        thrown.RetryAfter.ShouldBe(TimeSpan.FromSeconds(seconds));
    }

    [Fact]
    public async Task The_circuit_can_be_switched_off()
    {
        using var chain = new Chain(o =>
        {
            o.CircuitBreaker.BreakDuration = null;
            o.Retry.MaxRetryAttempts = 0;
        });
        chain.Server.Script(Replies.Status(503));

        for (int i = 0; i < 20; i++)
            (await chain.GetAsync()).Dispose();

        chain.Server.Requests.Count.ShouldBe(20);
    }

    [Fact]
    public async Task A_rejection_is_an_HttpRequestException_that_says_for_how_long()
    {
        using var chain = BreaksAfter(1);
        chain.Server.Script(Replies.Status(503));
        (await chain.GetAsync()).Dispose();

        var thrown = await Assert.ThrowsAnyAsync<HttpRequestException>(() => chain.GetAsync());

        thrown.Message.ShouldBe("Circuit for https://api.test is open for another 30.0 s; no request was sent.");
    }
}
