namespace HttpResilience.Tests.Retry;

public sealed class CancellationTests
{
    [Theory, InlineData(true), InlineData(false)]
    public async Task Cancelled_during_a_wait_the_call_ends_with_the_callers_token(bool async)
    {
        using var chain = new Chain();
        chain.Clock.SkipsWaits = false;
        chain.Server.Script(Replies.Status(503, ("Retry-After", "17")));
        using var caller = new CancellationTokenSource();

        var sending = chain.SendAsync(async, Chain.Get(), caller.Token);
        await chain.Clock.TimerDueInAsync(TimeSpan.FromSeconds(17));
        await caller.CancelAsync();

        await AssertCancelledAsync(chain, sending, caller.Token);
        chain.Clock.Elapsed.ShouldBe(TimeSpan.Zero);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Cancelled_during_an_attempt_the_call_ends_with_the_callers_token(bool async)
    {
        using var chain = new Chain();
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        chain.Server.Script(Replies.Hangs(begun));
        using var caller = new CancellationTokenSource();

        var sending = chain.SendAsync(async, Chain.Get(), caller.Token);
        await begun.Task;
        await caller.CancelAsync();

        await AssertCancelledAsync(chain, sending, caller.Token);
    }

    // A handler of the user's may answer a cancellation with an exception of its own.
    [Theory, InlineData(true), InlineData(false)]
    public async Task A_cancellation_in_another_guise_is_one_too(bool async)
    {
        using var chain = new Chain();
        using var caller = new CancellationTokenSource();
        chain.Server.Script(Replies.Throws(() =>
        {
            caller.Cancel();
            return new IOException("The stream was closed.");
        }));

        await AssertCancelledAsync(chain, chain.SendAsync(async, Chain.Get(), caller.Token), caller.Token);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_response_that_comes_with_the_cancellation_is_not_repeated(bool async)
    {
        using var chain = new Chain();
        using var caller = new CancellationTokenSource();
        chain.Server.Script(Replies.With(() =>
        {
            caller.Cancel();
            return new(System.Net.HttpStatusCode.ServiceUnavailable);
        }));

        await AssertCancelledAsync(chain, chain.SendAsync(async, Chain.Get(), caller.Token), caller.Token);
    }

    [Fact]
    public async Task A_caller_that_has_left_before_sends_nothing()
    {
        using var chain = new Chain();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => chain.SendAsync(true, Chain.Get(), new CancellationToken(canceled: true)));

        chain.Server.Requests.ShouldBeEmpty();
    }

    private static async Task AssertCancelledAsync(Chain chain, Task<HttpResponseMessage> sending, CancellationToken token)
    {
        var thrown = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending.WaitAsync(TimeSpan.FromSeconds(30)));

        thrown.CancellationToken.ShouldBe(token);
        chain.Server.Requests.Count.ShouldBe(1);
        var call = thrown.GetHttpCall()!;
        (call.StopReason, call.FailureClass).ShouldBe((StopReason.Cancelled, FailureClass.Cancelled));
        chain.Logs.Call["StopReason"].ShouldBe("Cancelled");
    }
}
