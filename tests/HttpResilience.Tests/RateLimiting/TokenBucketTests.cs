using HttpResilience.Tests.CircuitBreaker;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.RateLimiting;

/// <summary>A limit of attempts in a time. The bucket goes by the clock of the machine: here it takes a day to fill.</summary>
public sealed class TokenBucketTests
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    [Theory, InlineData(true), InlineData(false)]
    public async Task Attempts_take_tokens_until_none_is_left(bool async)
    {
        using var chain = Limited(new() { TokenLimit = 3, TokensPerPeriod = 4 });
        for (int i = 0; i < 3; i++)
            (await chain.GetAsync(async)).Dispose();

        var thrown = await Assert.ThrowsAsync<RateLimitedException>(() => chain.PostAsync(async));

        (thrown.Authority, thrown.RetryAfter).ShouldBe(("https://api.test", TimeSpan.FromHours(6)));
        thrown.Message.ShouldBe("The client's limit of requests to https://api.test is reached; the next token is available in 21600.0 s "
            + "(RateLimiter:TokenBucket).");
        var call = thrown.GetHttpCall()!;
        (call.StopReason, call.FailureClass, call.Attempts.Count).ShouldBe((StopReason.RateLimited, FailureClass.RateLimited, 0));
        chain.Server.Requests.Count.ShouldBe(3);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_retry_takes_a_token_too(bool async)
    {
        using var chain = Limited(new() { TokenLimit = 2, TokensPerPeriod = 1 });
        chain.Server.Script(Replies.Status(503));

        var thrown = await Assert.ThrowsAsync<RateLimitedException>(() => chain.GetAsync(async));

        (thrown.GetHttpCall()!.StopReason, thrown.GetHttpCall()!.Attempts.Count).ShouldBe((StopReason.RateLimited, 2));
        chain.Server.Requests.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Each_host_has_a_bucket_of_its_own()
    {
        using var chain = Limited(new() { TokenLimit = 1, TokensPerPeriod = 1 });
        (await chain.GetAsync()).Dispose();

        (await chain.SendAsync(true, Chain.Get("https://other.test/"))).Dispose();

        await Assert.ThrowsAsync<RateLimitedException>(() => chain.GetAsync());
    }

    [Fact]
    public async Task Rejections_are_neutral_for_the_circuit()
    {
        using var chain = Limited(new() { TokenLimit = 1, TokensPerPeriod = 1 }, o => o.CircuitBreaker.UseClassic().FailureThreshold = 1);
        (await chain.GetAsync()).Dispose();

        for (int i = 0; i < 10; i++)
            await Assert.ThrowsAsync<RateLimitedException>(() => chain.GetAsync());

        chain.Services.GetRequiredService<ICircuits>().List().ShouldAllBe(c => c.State == CircuitState.Closed);
    }

    [Fact]
    public async Task A_call_that_does_not_fit_into_the_queue_learns_when_the_queue_has_passed()
    {
        using var chain = Limited(new() { TokenLimit = 1, TokensPerPeriod = 24, QueueLimit = 2 });
        using var caller = new CancellationTokenSource();
        (await chain.GetAsync()).Dispose();
        Task[] waiting = [chain.SendAsync(true, Chain.Get(), caller.Token), chain.SendAsync(true, Chain.Get(), caller.Token)];

        var thrown = await Assert.ThrowsAsync<RateLimitedException>(() => chain.GetAsync());

        thrown.RetryAfter.ShouldBe(TimeSpan.FromHours(3));
        await caller.CancelAsync();
        foreach (var task in waiting)
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => task);
    }

    [Theory, InlineData(true, false), InlineData(false, false), InlineData(true, true)]
    public async Task An_attempt_that_times_out_waiting_for_a_token_was_not_sent_and_does_not_count_against_the_host(bool async,
        bool hedged)
    {
        using var chain = Limited(new() { TokenLimit = 1, TokensPerPeriod = 1, QueueLimit = 5 }, o =>
        {
            o.CircuitBreaker.UseClassic().FailureThreshold = 1;
            (o.Hedging.Enabled, o.Hedging.Delay) = (hedged, Day);
        });
        (await chain.GetAsync()).Dispose();
        chain.Clock.SkipsWaits = false;
        // The timer of the first call runs out, so that one that is due now is that of the second.
        chain.Clock.Advance(TimeSpan.FromSeconds(31));

        var sending = chain.PostAsync(async);
        var attempt = TimeSpan.FromSeconds(30);
        await chain.Clock.TimerDueInAsync(attempt);
        chain.Clock.Advance(attempt);
        var thrown = await Assert.ThrowsAsync<RateLimitedException>(() => sending);

        var call = thrown.GetHttpCall()!;
        (call.StopReason, call.FailureClass, call.Attempts.Count, call.MayHaveBeenProcessed).ShouldBe(
            (StopReason.RateLimited, FailureClass.RateLimited, 0, false));
        chain.Services.GetRequiredService<ICircuits>().List().ShouldAllBe(c => c.State == CircuitState.Closed);
        chain.Server.Requests.Count.ShouldBe(1);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_caller_that_leaves_the_queue_gets_its_own_cancellation(bool async)
    {
        using var chain = Limited(new() { TokenLimit = 1, TokensPerPeriod = 1, QueueLimit = 5 });
        (await chain.GetAsync()).Dispose();
        chain.Clock.SkipsWaits = false;
        // The timer of the first call runs out, so that one that is due now is that of the second.
        chain.Clock.Advance(TimeSpan.FromSeconds(31));
        using var caller = new CancellationTokenSource();

        var sending = chain.SendAsync(async, Chain.Post(), caller.Token);
        await chain.Clock.TimerDueInAsync(TimeSpan.FromSeconds(30));
        await caller.CancelAsync();
        var thrown = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);

        thrown.CancellationToken.ShouldBe(caller.Token);
        thrown.GetHttpCall()!.StopReason.ShouldBe(StopReason.Cancelled);
    }

    [Fact]
    public async Task With_both_limits_a_token_is_taken_first()
    {
        using var chain = Limited(
            new() { TokenLimit = 2, TokensPerPeriod = 1 }, o => o.RateLimiter!.DefaultRateLimiterOptions = new() { PermitLimit = 1 });
        var begun = new TaskCompletionSource();
        using var caller = new CancellationTokenSource();
        chain.Server.Script(Replies.Hangs(begun), Replies.Status(200));
        var first = chain.SendAsync(true, Chain.Get(), caller.Token);
        await begun.Task;

        var noPlace = await Assert.ThrowsAsync<RateLimitedException>(() => chain.GetAsync());
        await caller.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        var noToken = await Assert.ThrowsAsync<RateLimitedException>(() => chain.GetAsync());

        (noPlace.RetryAfter, noToken.RetryAfter).ShouldBe((null, Day));
        noPlace.Message.ShouldBe("The client's limit of requests to https://api.test is reached (RateLimiter).");
        chain.Server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task With_both_limits_a_place_is_given_back()
    {
        using var chain = Limited(
            new() { TokenLimit = 5, TokensPerPeriod = 1 }, o => o.RateLimiter!.DefaultRateLimiterOptions = new() { PermitLimit = 1 });

        for (int i = 0; i < 5; i++)
            (await chain.GetAsync()).Dispose();

        chain.Server.Requests.Count.ShouldBe(5);
    }

    [Fact]
    public async Task A_reload_that_leaves_the_limit_alone_fills_no_bucket()
    {
        using var chain = Limited(new() { TokenLimit = 1, TokensPerPeriod = 1 });
        (await chain.GetAsync()).Dispose();

        chain.Reload(("Retry:MaxRetryAttempts", "1"));

        await Assert.ThrowsAsync<RateLimitedException>(() => chain.GetAsync());
    }

    [Fact]
    public async Task A_reload_that_changes_the_limit_counts_anew()
    {
        using var chain = new Chain(settings: new Dictionary<string, string?>
        {
            ["RateLimiter:TokenBucket:TokenLimit"] = "1",
            ["RateLimiter:TokenBucket:TokensPerPeriod"] = "1",
            ["RateLimiter:TokenBucket:ReplenishmentPeriod"] = "1.00:00:00",
        });
        (await chain.GetAsync()).Dispose();
        await Assert.ThrowsAsync<RateLimitedException>(() => chain.GetAsync());

        chain.Reload(("RateLimiter:TokenBucket:TokenLimit", "2"));

        (await chain.GetAsync()).Dispose();
        (await chain.GetAsync()).Dispose();
        await Assert.ThrowsAsync<RateLimitedException>(() => chain.GetAsync());
    }

    private static Chain Limited(TokenBucketOptions bucket, Action<HttpResilienceOptions>? options = null) => new(o =>
    {
        bucket.ReplenishmentPeriod = Day;
        o.RateLimiter = new() { TokenBucket = bucket };
        options?.Invoke(o);
    });
}
