using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.IntegrationTests;

/// <summary>Two concurrent requests of one call over real connections.</summary>
public sealed class HedgingTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Theory, InlineData(false), InlineData(true)]
    public async Task The_hedged_request_answers_and_the_stalled_first_request_is_cancelled(bool http2)
    {
        var takenBack = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Microsoft.AspNetCore.Http.RequestDelegate forgets = async context =>
        {
            await Reply.Silence(context);
            takenBack.SetResult();
        };
        await using var server = await (http2
            ? KestrelServer.StartHttp2Async(forgets, Reply.Ok("second"))
            : KestrelServer.StartAsync(forgets, Reply.Ok("second")));
        await using var client = new ResilientClientUnderTest(server.Uri, Hedging);
        using var request = new HttpRequestMessage(HttpMethod.Post, "invoices") { Content = JsonContent.Create(new { number = 1 }) };
        if (http2)
            (request.Version, request.VersionPolicy) = (HttpVersion.Version20, HttpVersionPolicy.RequestVersionExact);

        using var response = await client.Client.SendAsync(request, Cancel).WaitAsync(ResilientClientUnderTest.Hang, Cancel);

        (await response.Content.ReadAsStringAsync(Cancel)).ShouldBe("second");
        response.RequestMessage.ShouldBeSameAs(request);
        await takenBack.Task.WaitAsync(ResilientClientUnderTest.Hang, Cancel);
        server.Requests.Select(r => r.Text).ShouldBe(["{\"number\":1}", "{\"number\":1}"]);
        server.Requests.Select(r => r.Key).Distinct().ShouldHaveSingleItem().ShouldBe(response.GetHttpCall()!.IdempotencyKey);
        response.GetHttpCall()!.Attempts.Select(a => a.FailureClass).ShouldBe([FailureClass.Cancelled, FailureClass.None]);
    }

    [Fact]
    public async Task A_request_that_loses_later_does_not_end_the_open_response_of_an_earlier_call()
    {
        var tokens = new ConcurrentQueue<CancellationToken>();
        await using var server = await KestrelServer.StartAsync(
            Reply.Stall(200, "a"), Reply.Silence, Reply.Ok(), Reply.Silence, Reply.Ok(), Reply.Silence, Reply.Ok());
        await using var client = new ResilientClientUnderTest(
            server.Uri, Hedging, build: b => b.AddHttpMessageHandler(() => new TokenHandler(tokens)));

        using var open = await client.Client.GetAsync("/", HttpCompletionOption.ResponseHeadersRead, Cancel);
        tokens.TryPeek(out var token).ShouldBeTrue();
        for (int i = 0; i < 3; i++)
            (await client.Client.GetAsync("/", Cancel).WaitAsync(ResilientClientUnderTest.Hang, Cancel)).Dispose();

        server.Count.ShouldBe(7);
        token.IsCancellationRequested.ShouldBeFalse();
    }

    [Fact]
    public async Task A_thousand_hedged_calls_over_four_connections_succeed_with_one_body_per_key()
    {
        const int calls = 1000;
        int next = 0;
        await using var server = await KestrelServer.StartAsync(
            context => Interlocked.Increment(ref next) % 3 == 0 ? Reply.Abort(context) : Reply.Ok()(context));
        await using var client = new ResilientClientUnderTest(
            server.Uri, o =>
            {
                Hedging(o);
                o.Hedging.Delay = TimeSpan.Zero;
                o.Retry.MaxRetryAttempts = 20;
                o.Retry.Budget.RetryRatio = null;
            },
            sockets => sockets.MaxConnectionsPerServer = 4);

        await Parallel.ForAsync(0, calls, new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = Cancel },
            async (i, cancellationToken) =>
            {
                using var response = await client.Client.PostAsJsonAsync("invoices", new { number = i }, cancellationToken);
                response.StatusCode.ShouldBe(HttpStatusCode.OK);
                response.GetHttpCall().ShouldNotBeNull().StopReason.ShouldBe(StopReason.Succeeded);
            }).WaitAsync(TimeSpan.FromMinutes(2), Cancel);

        server.Requests.GroupBy(r => r.Key).ShouldAllBe(g => g.Select(r => r.Text).Distinct().Count() == 1);
        server.Requests.Select(r => r.Text).Distinct().Count().ShouldBe(calls);
    }

    private static void Hedging(HttpResilienceOptions options) =>
        (options.Hedging.Enabled, options.Hedging.Delay) = (true, TimeSpan.FromMilliseconds(50));

    private sealed class TokenHandler(ConcurrentQueue<CancellationToken> tokens) : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            tokens.Enqueue(cancellationToken);
            return base.SendAsync(request, cancellationToken);
        }
    }
}
