namespace HttpResilience.Tests.Hedging;

public sealed class LoserTests
{
    [Fact]
    public async Task A_loser_is_cancelled()
    {
        using var chain = HedgedChain.Create();
        var cancelled = HedgedChain.Answer();
        chain.Server.Script(
            (_, _, cancellationToken) =>
            {
                cancellationToken.Register(() => cancelled.SetCanceled(cancellationToken));
                return cancelled.Task;
            },
            Replies.Status(200));

        var sending = chain.GetAsync();
        await chain.PassDelayAsync();
        using var response = await sending;

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => cancelled.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        TestContext.Current.CancellationToken.IsCancellationRequested.ShouldBeFalse();
    }

    [Fact]
    public async Task A_loser_that_ignores_cancellation_delays_no_caller_and_its_late_response_is_disposed()
    {
        using var chain = HedgedChain.Create();
        var late = HedgedChain.Answer();
        chain.Server.Script(HedgedChain.When(late), Replies.Status(200));

        var sending = chain.GetAsync();
        await chain.PassDelayAsync();
        using var response = await sending;

        ((int)response.StatusCode).ShouldBe(200);
        var body = new TrackedContent();
        late.SetResult(new() { Content = body });
        await body.Disposed.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_late_failure_is_no_unobserved_exception()
    {
        var unobserved = new List<Exception>();
        EventHandler<UnobservedTaskExceptionEventArgs> remember = (_, e) => unobserved.Add(e.Exception);
        TaskScheduler.UnobservedTaskException += remember;
        try
        {
            await FailLateAsync();
            GC.Collect();
            GC.WaitForPendingFinalizers();
            GC.Collect();
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= remember;
        }

        unobserved.Where(e => e.ToString().Contains("Late, as a test wants it", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Of_two_good_answers_the_other_is_disposed()
    {
        var bodies = new[] { new TrackedContent(), new TrackedContent() };
        using var chain = HedgedChain.Create(o => o.Hedging.Delay = TimeSpan.Zero);
        var both = HedgedChain.Answer();
        int next = -1;
        chain.Server.Script(async (_, _, _) =>
        {
            int mine = Interlocked.Increment(ref next);
            if (mine == 1)
                both.SetResult(HedgedChain.Status(200));
            await both.Task;
            return new() { Content = bodies[mine] };
        });

        using var response = await chain.GetAsync();

        var (kept, dropped) = ReferenceEquals(response.Content, bodies[0]) ? (bodies[0], bodies[1]) : (bodies[1], bodies[0]);
        await dropped.Disposed.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        kept.Disposed.IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public async Task A_failed_loser_is_disposed()
    {
        using var chain = HedgedChain.Create();
        var body = new TrackedContent();
        chain.Server.Script(Replies.Content(503, () => body), Replies.Status(200));

        using var response = await chain.GetAsync();

        body.Disposed.IsCompleted.ShouldBeTrue();
    }

    [Fact]
    public async Task A_failure_that_becomes_the_answer_is_not()
    {
        using var chain = HedgedChain.Create(o => o.Retry.MaxRetryAttempts = 0);
        chain.Server.Script(Replies.Status(503, "the first"), Replies.Status(503, "the second"));

        using var response = await chain.GetAsync();

        (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldBe("the first");
    }

    [Fact]
    public async Task A_request_that_the_limiter_rejects_leaves_the_first_alone()
    {
        using var chain = HedgedChain.Create(o =>
        {
            o.RateLimiter = new() { DefaultRateLimiterOptions = new() { PermitLimit = 1 } };
        });
        var first = HedgedChain.Answer();
        chain.Server.Script(HedgedChain.WhenNotCancelled(first));

        var sending = chain.GetAsync();
        await chain.PassDelayAsync();
        first.SetResult(HedgedChain.Status(200));
        using var response = await sending;

        ((int)response.StatusCode).ShouldBe(200);
        response.GetHttpCall()!.Attempts.ShouldHaveSingleItem();
        chain.Logs.WithId(211).ShouldHaveSingleItem();
    }

    // Nothing would wake the chain up between two looks, so it must not look at all.
    [Fact]
    public async Task A_rejected_request_does_not_keep_the_chain_busy_while_the_first_is_waited_for()
    {
        using var chain = HedgedChain.Create(o =>
        {
            o.RateLimiter = new() { DefaultRateLimiterOptions = new() { PermitLimit = 1 } };
            (o.Hedging.Delay, o.Hedging.MaxHedgedAttempts) = (TimeSpan.Zero, 5);
        });
        var first = HedgedChain.Answer();
        chain.Server.Script(HedgedChain.WhenNotCancelled(first));

        var sending = await Task.Run(() => Task.FromResult(chain.GetAsync())).WaitAsync(
            TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        first.SetResult(HedgedChain.Status(200));
        (await sending).Dispose();

        chain.Logs.WithId(211).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_good_answer_that_comes_as_time_runs_out_still_counts()
    {
        using var chain = HedgedChain.Create();
        var first = HedgedChain.Answer();
        chain.Server.Script(HedgedChain.When(first), Replies.Hangs());

        var sending = chain.GetAsync();
        await chain.PassDelayAsync();
        await chain.SentAsync(2);
        chain.Clock.Advance(TimeSpan.FromSeconds(30));
        first.SetResult(HedgedChain.Status(200));
        using var response = await sending;

        ((int)response.StatusCode).ShouldBe(200);
        response.GetHttpCall()!.Attempts.Select(a => a.FailureClass).ShouldBe([FailureClass.Transient, FailureClass.None]);
    }

    private static async Task FailLateAsync()
    {
        using var chain = HedgedChain.Create();
        var late = HedgedChain.Answer();
        chain.Server.Script(HedgedChain.When(late), Replies.Status(200));
        var sending = chain.GetAsync();
        await chain.PassDelayAsync();
        (await sending).Dispose();
        late.SetException(new IOException("Late, as a test wants it"));
    }

    private sealed class TrackedContent : ByteArrayContent
    {
        private readonly TaskCompletionSource _disposed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal TrackedContent()
            : base([1, 2, 3])
        {
        }

        internal Task Disposed => _disposed.Task;

        protected override void Dispose(bool disposing)
        {
            _disposed.TrySetResult();
            base.Dispose(disposing);
        }
    }
}
