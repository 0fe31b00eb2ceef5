using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using HttpResilience.Tests.Hedging;

namespace HttpResilience.Tests.Telemetry;

/// <summary>How often a request had been sent before, as every attempt knows it on its way to the wire.</summary>
public sealed class ResendCountTests
{
    private readonly ConcurrentQueue<int> _counts = new();

    [Theory, InlineData(true), InlineData(false)]
    public async Task Attempts_are_counted_from_nought(bool async)
    {
        using var chain = new Chain(client: Count);
        chain.Server.Script(Replies.Status(503), Replies.ConnectionRefused(), Replies.Status(503), Replies.Status(200));

        (await chain.GetAsync(async)).Dispose();

        _counts.ShouldBe([0, 1, 2, 3]);
    }

    [Fact]
    public async Task A_retry_after_requests_side_by_side_counts_them_all()
    {
        using var chain = HedgedChain.Create(client: Count);
        var (first, second) = (HedgedChain.Answer(), HedgedChain.Answer());
        chain.Server.Script(HedgedChain.When(first), HedgedChain.When(second), Replies.Status(200));

        var calling = chain.GetAsync();
        await chain.PassDelayAsync();
        await chain.SentAsync(2);
        first.SetResult(HedgedChain.Status(503));
        second.SetResult(HedgedChain.Status(503));
        await chain.Clock.TimerDueInAsync(TimeSpan.FromSeconds(1));
        chain.Clock.Advance(TimeSpan.FromSeconds(1));
        (await calling).GetHttpCall()!.Attempts.Count.ShouldBe(3);

        _counts.ShouldBe([0, 1, 2]);
    }

    [Fact]
    public async Task A_call_without_end_stops_counting_at_255()
    {
        using var chain = new Chain(
            o =>
            {
                (o.Retry.MaxRetryAttempts, o.Retry.BackoffType, o.Retry.Delay) = (300, BackoffType.Constant, TimeSpan.FromMilliseconds(1));
                (o.CircuitBreaker.BreakDuration, o.Retry.Budget.RetryRatio) = (null, null);
            },
            Count);
        chain.Server.Script(Replies.Status(503));

        (await chain.GetAsync()).Dispose();

        _counts.ShouldBe([.. Enumerable.Range(0, 301).Select(i => Math.Min(i, 255))]);
    }

    private void Count(IHttpClientBuilder client) => client.AddHttpMessageHandler(() => new Counter(_counts));

    private sealed class Counter(ConcurrentQueue<int> counts) : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            counts.Enqueue(HttpCall.Of(request).ResendCount);
            return base.SendAsync(request, cancellationToken);
        }

        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            counts.Enqueue(HttpCall.Of(request).ResendCount);
            return base.Send(request, cancellationToken);
        }
    }
}
