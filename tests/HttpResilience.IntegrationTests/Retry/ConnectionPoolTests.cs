using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;

namespace HttpResilience.IntegrationTests;

/// <summary>Discarded responses return their connection to the pool.</summary>
public sealed class ConnectionPoolTests
{
    [Theory]
    [InlineData(Mode.Async, 10_000, 1), InlineData(Mode.Async, 2_000, 8), InlineData(Mode.Sync, 1_000, 4)]
    public async Task Thousands_of_retried_calls_finish_on_one_connection(Mode mode, int calls, int concurrency)
    {
        await using var server = await KestrelServer.StartAsync(FailsEachCallOnce(Reply.Unavailable));
        await using var client = OneConnection(server.Uri);

        int attempts = await SendAsync(client, mode, calls, concurrency);

        attempts.ShouldBe(calls * 2);
        server.Count.ShouldBe(calls * 2);
        server.Connections.ShouldBe(1);
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task Long_bodies_of_discarded_responses_are_drained(Mode mode)
    {
        await using var server = await KestrelServer.StartAsync(FailsEachCallOnce(Reply.Bytes(503, 200_000)));
        await using var client = OneConnection(server.Uri);

        await SendAsync(client, mode, calls: 100, concurrency: 2);

        server.Connections.ShouldBe(1);
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task Bodies_too_long_to_drain_cost_a_connection_each(Mode mode)
    {
        await using var server = await KestrelServer.StartAsync(FailsEachCallOnce(Reply.Bytes(503, 5_000_000)));
        await using var client = OneConnection(server.Uri);

        await SendAsync(client, mode, calls: 20, concurrency: 2);

        server.Connections.ShouldBeLessThanOrEqualTo(21);
        await Eventually.BeAsync(() => server.OpenConnections <= 1);
    }

    [Fact]
    public async Task Failures_that_the_caller_disposes_return_their_connection()
    {
        await using var server = await KestrelServer.StartAsync(Reply.Bytes(503, 3000));
        await using var client = OneConnection(server.Uri);

        for (int call = 0; call < 50; call++)
        {
            using var response = await client.Client.SendAsync(Mode.Async, Sending.Get(), HttpCompletionOption.ResponseHeadersRead);
            response.GetHttpCall().ShouldHaveEnded(4, FailureClass.Transient, StopReason.AttemptsExhausted);
        }

        server.Connections.ShouldBe(1);
    }

    private static ResilientClientUnderTest OneConnection(Uri uri) => new(
        uri, options => options.Retry.Delay = TimeSpan.Zero, sockets => sockets.MaxConnectionsPerServer = 1);

    private static async Task<int> SendAsync(ResilientClientUnderTest client, Mode mode, int calls, int concurrency)
    {
        int attempts = 0;
        await Parallel.ForAsync(0, calls, new ParallelOptions { MaxDegreeOfParallelism = concurrency }, async (_, _) =>
        {
            using var response = await client.Client.SendAsync(mode, Sending.Post());
            response.IsSuccessStatusCode.ShouldBeTrue();
            Interlocked.Add(ref attempts, response.GetHttpCall()!.Attempts.Count);
        });
        return attempts;
    }

    private static RequestDelegate FailsEachCallOnce(RequestDelegate failure)
    {
        var seen = new ConcurrentDictionary<string, bool>();
        return context => seen.TryAdd(context.Request.Headers["Idempotency-Key"].ToString(), true) ? failure(context) : Reply.Ok()(context);
    }
}
