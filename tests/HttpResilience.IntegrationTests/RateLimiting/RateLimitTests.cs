namespace HttpResilience.IntegrationTests;

public sealed class RateLimitTests
{
    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task A_call_above_the_limit_fails_at_once_and_nothing_is_sent(Mode mode)
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
    public async Task Calls_that_may_wait_go_one_after_the_other(Mode mode)
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

    private static ResilientClientUnderTest Limited(Uri uri, int queue) => new(uri, options =>
    {
        options.RateLimiter = new();
        options.RateLimiter.DefaultRateLimiterOptions.PermitLimit = 1;
        options.RateLimiter.DefaultRateLimiterOptions.QueueLimit = queue;
    });
}
