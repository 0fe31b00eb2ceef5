namespace HttpResilience.Tests.Retry;

public sealed class TimeoutTests
{
    [Theory, InlineData(true), InlineData(false)]
    public async Task An_attempt_that_takes_too_long_is_given_up_and_repeated(bool async)
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Stalls(), Replies.Status(200));

        using var response = await chain.GetAsync(async);

        chain.Server.Requests.Select(s => s.SentAfter.TotalSeconds).ShouldBe([0, 31]);
        response.GetHttpCall()!.Attempts[0].ShouldBe(
            new(null, FailureClass.Transient, nameof(TaskCanceledException), TimeSpan.FromSeconds(30)));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task The_timeout_of_the_last_attempt_has_the_shape_of_HttpClients_own(bool async)
    {
        using var chain = new Chain(o => o.TotalRequestTimeout.Timeout = TimeSpan.FromMinutes(10));
        chain.Server.Script(Replies.Stalls());

        var thrown = await Assert.ThrowsAnyAsync<TaskCanceledException>(() => chain.GetAsync(async));

        thrown.InnerException.ShouldBeOfType<TimeoutException>();
        thrown.Message.ShouldContain("AttemptTimeout (00:00:30)");
        chain.Server.Requests.Count.ShouldBe(4);
        var call = thrown.GetHttpCall()!;
        (call.StopReason, call.FailureClass).ShouldBe((StopReason.AttemptsExhausted, FailureClass.Transient));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task The_deadline_of_the_call_ends_an_attempt_in_the_middle(bool async)
    {
        using var chain = new Chain(o => o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(40));
        chain.Server.Script(Replies.Stalls());

        var thrown = await Assert.ThrowsAnyAsync<TaskCanceledException>(() => chain.GetAsync(async));

        thrown.InnerException.ShouldBeOfType<TimeoutException>();
        thrown.Message.ShouldContain("TotalRequestTimeout (00:00:40)");
        chain.Clock.Elapsed.ShouldBe(TimeSpan.FromSeconds(40));
        chain.Server.Requests.Select(s => s.SentAfter.TotalSeconds).ShouldBe([0, 31]);
        thrown.GetHttpCall()!.StopReason.ShouldBe(StopReason.DeadlinePassed);
    }

    [Fact]
    public async Task Time_that_attempts_and_waits_took_counts_towards_the_deadline()
    {
        using var chain = new Chain(o => o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(20));
        chain.Server.Script(Replies.After(TimeSpan.FromSeconds(9), Replies.Status(503)));

        using var response = await chain.GetAsync();

        // 9 s, a wait of 1 s, 9 s: a wait of 2 s more would end at 21 s.
        chain.Server.Requests.Select(s => s.SentAfter.TotalSeconds).ShouldBe([0, 10]);
        response.GetHttpCall()!.StopReason.ShouldBe(StopReason.DeadlineWouldPass);
    }

    [Fact]
    public async Task Without_timeouts_an_attempt_may_take_days()
    {
        using var chain = new Chain(o => (o.TotalRequestTimeout.Timeout, o.AttemptTimeout.Timeout) = (null, null));
        chain.Server.Script(Replies.After(TimeSpan.FromDays(3), Replies.Status(200)));

        using var response = await chain.GetAsync();

        ((int)response.StatusCode).ShouldBe(200);
        chain.Client.Timeout.ShouldBe(Timeout.InfiniteTimeSpan);
    }

    [Fact]
    public async Task Each_attempt_has_the_whole_of_its_time()
    {
        using var chain = new Chain();
        chain.Server.Script(
            Replies.After(TimeSpan.FromSeconds(29), Replies.Status(503)), Replies.After(TimeSpan.FromSeconds(29), Replies.Status(200)));

        using var response = await chain.GetAsync();

        ((int)response.StatusCode).ShouldBe(200);
        chain.Clock.Elapsed.ShouldBe(TimeSpan.FromSeconds(29 + 1 + 29));
    }

    [Fact]
    public async Task A_timeout_of_an_earlier_call_does_not_end_a_later_one()
    {
        using var chain = new Chain(o => o.Retry.MaxRetryAttempts = 0);
        chain.Server.Script(Replies.Stalls(), Replies.After(TimeSpan.FromSeconds(20), Replies.Status(200)));

        await Assert.ThrowsAnyAsync<TaskCanceledException>(() => chain.GetAsync());
        for (int i = 0; i < 5; i++)
            (await chain.GetAsync()).Dispose();

        chain.Server.Requests.Count.ShouldBe(6);
    }
}
