using Microsoft.Extensions.Logging;

namespace HttpResilience.Tests.Hedging;

public sealed class HedgedCallTests
{
    [Fact]
    public async Task A_slow_request_is_sent_again_after_the_delay_and_the_first_answer_counts()
    {
        using var chain = HedgedChain.Create();
        chain.Server.Script(Replies.Hangs(), Replies.Status(200));
        using var request = Chain.Get();

        var sending = chain.SendAsync(true, request);
        await chain.PassDelayAsync();
        using var response = await sending;

        chain.Server.Requests.Select(s => s.SentAfter).ShouldBe([TimeSpan.Zero, HedgedChain.Delay]);
        response.RequestMessage.ShouldBeSameAs(request);
        var call = response.GetHttpCall().ShouldNotBeNull();
        call.Attempts.Select(a => ((int?)a.StatusCode, a.FailureClass, a.Elapsed)).ShouldBe(
            [(null, FailureClass.Cancelled, HedgedChain.Delay), (200, FailureClass.None, HedgedChain.Delay)]);
        (call.StopReason, call.FailureClass).ShouldBe((StopReason.Succeeded, FailureClass.None));
        chain.Logs.Call["Attempts"].ShouldBe(2);
        chain.Logs.WithId(211).ShouldHaveSingleItem().Level.ShouldBe(LogLevel.Debug);
    }

    [Fact]
    public async Task A_prompt_answer_is_not_hedged()
    {
        using var chain = HedgedChain.Create();
        chain.Server.Script(Replies.After(HedgedChain.Delay - TimeSpan.FromTicks(1), Replies.Status(200)));

        using var response = await chain.GetAsync();

        chain.Server.Requests.ShouldHaveSingleItem();
        response.GetHttpCall()!.Attempts.ShouldHaveSingleItem().Elapsed.ShouldBe(HedgedChain.Delay - TimeSpan.FromTicks(1));
    }

    [Fact]
    public async Task The_first_request_may_win_after_all()
    {
        using var chain = HedgedChain.Create();
        var first = HedgedChain.Answer();
        var second = HedgedChain.Answer();
        chain.Server.Script(HedgedChain.WhenNotCancelled(first), HedgedChain.WhenNotCancelled(second));

        var sending = chain.GetAsync();
        await chain.PassDelayAsync();
        await chain.SentAsync(2);
        first.SetResult(HedgedChain.Status(201));
        using var response = await sending;

        ((int)response.StatusCode).ShouldBe(201);
        response.GetHttpCall()!.Attempts.Select(a => a.FailureClass).ShouldBe([FailureClass.Cancelled, FailureClass.None]);
    }

    [Fact]
    public async Task As_many_go_out_as_are_allowed_one_delay_apart()
    {
        using var chain = HedgedChain.Create(o => o.Hedging.MaxHedgedAttempts = 3);
        chain.Server.Script(Replies.Hangs(), Replies.Hangs(), Replies.Hangs(), Replies.Status(200));

        var sending = chain.GetAsync();
        for (int sent = 1; sent <= 3; sent++)
            await chain.PassDelayAsync(sent);
        using var response = await sending;

        chain.Server.Requests.Select(s => s.SentAfter).ShouldBe(
            [TimeSpan.Zero, HedgedChain.Delay, 2 * HedgedChain.Delay, 3 * HedgedChain.Delay]);
    }

    [Fact]
    public async Task Without_delay_all_go_out_at_once()
    {
        using var chain = HedgedChain.Create(o => (o.Hedging.Delay, o.Hedging.MaxHedgedAttempts) = (TimeSpan.Zero, 2));
        chain.Server.Script(Replies.Hangs(), Replies.Hangs(), Replies.Status(200));

        using var response = await chain.GetAsync();

        chain.Server.Requests.Select(s => s.SentAfter).ShouldBe([TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero]);
    }

    [Theory, InlineData(500), InlineData(503), InlineData(408), InlineData(0)]
    public async Task After_a_failure_worth_a_retry_the_next_goes_out_without_delay(int status)
    {
        using var chain = HedgedChain.Create();
        chain.Server.Script(status == 0 ? Replies.Reset() : Replies.Status(status), Replies.Status(200));

        using var response = await chain.GetAsync();

        ((int)response.StatusCode).ShouldBe(200);
        chain.Server.Requests.Select(s => s.SentAfter).ShouldBe([TimeSpan.Zero, TimeSpan.Zero]);
        response.GetHttpCall()!.Attempts.Select(a => (int?)a.StatusCode).ShouldBe([status == 0 ? null : status, 200]);
    }

    [Theory, InlineData(400), InlineData(401), InlineData(404), InlineData(501)]
    public async Task A_failure_that_repeating_cannot_help_is_the_answer(int status)
    {
        using var chain = HedgedChain.Create();
        chain.Server.Script(Replies.Status(status), Replies.Status(200));

        using var response = await chain.GetAsync();

        ((int)response.StatusCode).ShouldBe(status);
        chain.Server.Requests.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task When_all_have_failed_the_retry_goes_on_with_its_waits()
    {
        using var chain = HedgedChain.Create();
        chain.Server.Script(Replies.Status(503), Replies.Reset(), Replies.Status(503), Replies.Status(200));

        var sending = chain.GetAsync();
        await chain.Clock.TimerDueInAsync(TimeSpan.FromSeconds(1));
        chain.Clock.Advance(TimeSpan.FromSeconds(1));
        using var response = await sending;

        chain.Server.Requests.Select(s => s.SentAfter.TotalSeconds).ShouldBe([0, 0, 1, 1]);
        response.GetHttpCall()!.Attempts.Count.ShouldBe(4);
        chain.Logs.WithId(201).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Two_requests_that_stall_end_with_the_attempts_timeout_and_are_retried()
    {
        using var chain = HedgedChain.Create();
        chain.Server.Script(Replies.Hangs(), Replies.Hangs(), Replies.Status(200));

        var sending = chain.GetAsync();
        await chain.PassDelayAsync();
        await chain.SentAsync(2);
        chain.Clock.Advance(TimeSpan.FromSeconds(30) - HedgedChain.Delay);
        await chain.Clock.TimerDueInAsync(TimeSpan.FromSeconds(1));
        chain.Clock.Advance(TimeSpan.FromSeconds(1));
        using var response = await sending;

        chain.Server.Requests.Select(s => s.SentAfter.TotalSeconds).ShouldBe([0, 0.5, 31]);
        response.GetHttpCall()!.Attempts.Select(a => a.FailureClass).ShouldBe(
            [FailureClass.Transient, FailureClass.Transient, FailureClass.None]);
    }

    [Fact]
    public async Task Cancelled_by_its_caller_the_call_ends_all_its_requests()
    {
        using var chain = HedgedChain.Create();
        chain.Server.Script(Replies.Hangs());
        using var caller = new CancellationTokenSource();

        var sending = chain.SendAsync(true, Chain.Get(), caller.Token);
        await chain.PassDelayAsync();
        await chain.SentAsync(2);
        await caller.CancelAsync();

        var thrown = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
        thrown.CancellationToken.ShouldBe(caller.Token);
        var call = thrown.GetHttpCall().ShouldNotBeNull();
        call.StopReason.ShouldBe(StopReason.Cancelled);
        call.Attempts.Select(a => a.FailureClass).ShouldBe([FailureClass.Cancelled, FailureClass.Cancelled]);
    }
}
