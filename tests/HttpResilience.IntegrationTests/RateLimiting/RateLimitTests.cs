using System.Diagnostics;

namespace HttpResilience.IntegrationTests;

public sealed class RateLimitTests
{
    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task A_call_above_the_limit_fails_immediately_and_nothing_is_sent(Mode mode)
    {
        var arrived = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        await using var server = await KestrelServer.StartAsync(async context =>
        {
            arrived.SetResult();
            await release.Task;
            await Reply.Ok()(context);
        });
        await using var client = Limited(server.Uri, queue: 0);

        var first = client.Client.SendAsync(Mode.Async, Sending.Get());
        await arrived.Task.WaitAsync(ResilientClientUnderTest.Hang, TestContext.Current.CancellationToken);
        var exception = await client.Client.FailAsync<RateLimitedException>(mode, Sending.Post());
        release.SetResult();
        using var response = await first;

        exception.GetHttpCall()!.StopReason.ShouldBe(StopReason.RateLimited);
        response.ShouldHaveSucceeded(attempts: 1);
        server.Count.ShouldBe(1);
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task Queued_calls_are_sent_one_after_the_other(Mode mode)
    {
        int atOnce = 0;
        int most = 0;
        await using var server = await KestrelServer.StartAsync(async context =>
        {
            most = Math.Max(most, Interlocked.Increment(ref atOnce));
            await Task.Yield();
            Interlocked.Decrement(ref atOnce);
            await Reply.Ok()(context);
        });
        await using var client = Limited(server.Uri, queue: 20);

        var responses = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => client.Client.SendAsync(mode, Sending.Get())));

        most.ShouldBe(1);
        responses.ShouldAllBe(r => r.IsSuccessStatusCode);
        foreach (var response in responses)
            response.Dispose();
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task Queued_calls_are_sent_at_the_rate_of_the_tokens(Mode mode)
    {
        await using var server = await KestrelServer.StartAsync(Reply.Ok());
        await using var client = new ResilientClientUnderTest(server.Uri, options => options.RateLimiter = new()
        {
            TokenBucket = new() { TokenLimit = 2, TokensPerPeriod = 10, ReplenishmentPeriod = TimeSpan.FromSeconds(1), QueueLimit = 10 },
            DefaultRateLimiterOptions = new() { PermitLimit = 1, QueueLimit = 12 },
        });

        long begun = Stopwatch.GetTimestamp();
        var responses = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => client.Client.SendAsync(mode, Sending.Get())));

        // Two calls find a token; tokens for the other ten are added within a second.
        Stopwatch.GetElapsedTime(begun).ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(0.95));
        responses.ShouldAllBe(r => r.IsSuccessStatusCode);
        server.Count.ShouldBe(12);
        foreach (var response in responses)
            response.Dispose();
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task A_call_whose_deadline_passes_in_the_queue_fails_and_nothing_is_sent(Mode mode)
    {
        await using var server = await KestrelServer.StartAsync(Reply.Ok());
        await using var client = new ResilientClientUnderTest(server.Uri, options =>
        {
            options.AttemptTimeout.Timeout = TimeSpan.FromMilliseconds(100);
            options.RateLimiter = new()
            {
                TokenBucket = new() { TokenLimit = 1, TokensPerPeriod = 1, ReplenishmentPeriod = TimeSpan.FromDays(1), QueueLimit = 10 }
            };
        });
        (await client.Client.SendAsync(mode, Sending.Get())).Dispose();

        var exception = await client.Client.FailAsync<RateLimitedException>(mode, Sending.Post());

        exception.GetHttpCall().ShouldHaveEnded(0, FailureClass.RateLimited, StopReason.RateLimited);
        server.Count.ShouldBe(1);
    }

    private static ResilientClientUnderTest Limited(Uri uri, int queue) => new(uri, options =>
    {
        options.RateLimiter = new() { DefaultRateLimiterOptions = new() { PermitLimit = 1, QueueLimit = queue } };
    });
}
