using System.Diagnostics;
using HttpResilience.Tests.Hedging;

namespace HttpResilience.Tests.Telemetry;

/// <summary>One span per call that took more than one attempt, with a real <see cref="ActivityListener"/>.</summary>
[Collection(Alone.Name)]
public sealed class CallSpanTests
{
    private readonly List<Activity?> _current = [];

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_call_of_one_attempt_has_no_span(bool async)
    {
        using var spans = new SpanCollector();
        using var chain = NewChain(200);

        (await chain.GetAsync(async)).Dispose();

        (spans.Asked, spans.Ended.Count).ShouldBe((0, 0));
        _current.ShouldBe([null]);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_call_of_three_attempts_has_one_span_from_its_start_to_its_end(bool async)
    {
        using var spans = new SpanCollector();
        using var chain = NewChain(503, 503, 201);
        var startedAt = chain.Clock.GetUtcNow();
        using var parent = new Activity("the application's work").Start();

        (await chain.SendAsync(async, Chain.Post())).Dispose();

        Activity.Current.ShouldBe(parent);
        var span = spans.Ended.ShouldHaveSingleItem();
        (span.DisplayName, span.Kind, span.Status).ShouldBe(("POST api", ActivityKind.Internal, ActivityStatusCode.Unset));
        (span.TraceId, span.ParentSpanId).ShouldBe((parent.TraceId, parent.SpanId));
        (span.StartTimeUtc, span.Duration).ShouldBe((startedAt.UtcDateTime, TimeSpan.FromSeconds(3)));
        (span.Source.Name, span.Source.Version).ShouldBe(("HttpResilience", "0.1.0"));
        span.TagObjects.ShouldBe(
        [
            new("http.resilience.client", "api"), new("server.address", "api.test"), new("server.port", 443),
            new("http.request.method", "POST"),
            new("http.response.status_code", 201), new("http.resilience.stop_reason", "Succeeded"), new("http.resilience.attempts", 3),
        ], ignoreOrder: true);
        _current.ShouldBe([parent, span, span]);
        spans.Asked.ShouldBe(1);
    }

    // Everything on one thread: what a call leaves behind there, the caller's next span would be put under.
    [Fact]
    public void A_synchronous_call_leaves_the_callers_span_current()
    {
        using var spans = new SpanCollector();
        using var chain = NewChain(503, 200, 503, 200);
        using var parent = new Activity("the application's work").Start();

        chain.Client.Send(Chain.Get(), TestContext.Current.CancellationToken).Dispose();

        Activity.Current.ShouldBe(parent);
        parent.Stop();
        chain.Client.Send(Chain.Get(), TestContext.Current.CancellationToken).Dispose();
        Activity.Current.ShouldBeNull();
        spans.Ended.Count.ShouldBe(2);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task The_span_of_a_call_that_failed_says_how(bool async)
    {
        using var spans = new SpanCollector();
        using var chain = new Chain(o => o.Retry.MaxRetryAttempts = 1);
        chain.Server.Script(Replies.ConnectionRefused());

        await Assert.ThrowsAnyAsync<HttpRequestException>(() => chain.GetAsync(async));

        var span = spans.Ended.ShouldHaveSingleItem();
        (span.Status, span.StatusDescription).ShouldBe((ActivityStatusCode.Error, null));
        (span.GetTagItem("error.type"), span.GetTagItem("http.resilience.stop_reason"), span.GetTagItem("http.response.status_code"))
            .ShouldBe(("connection_error", "AttemptsExhausted", null));
        Activity.Current.ShouldBeNull();
    }

    [Fact]
    public async Task A_status_that_is_a_failure_makes_the_span_one()
    {
        using var spans = new SpanCollector();
        using var chain = NewChain(503, 422);

        (await chain.GetAsync()).Dispose();

        var span = spans.Ended.ShouldHaveSingleItem();
        (span.Status, span.GetTagItem("error.type"), span.GetTagItem("http.response.status_code")).ShouldBe(
            (ActivityStatusCode.Error, "422", 422));
    }

    [Fact]
    public async Task A_call_without_a_span_around_it_is_logged_under_its_own_trace()
    {
        using var spans = new SpanCollector();
        using var chain = NewChain(503, 200);

        (await chain.GetAsync()).Dispose();

        var span = spans.Ended.ShouldHaveSingleItem();
        span.ParentId.ShouldBeNull();
        chain.Logs.Call["TraceId"].ShouldBe(span.TraceId.ToString());
    }

    [Fact]
    public async Task Whether_a_call_is_sampled_is_asked_once()
    {
        using var spans = new SpanCollector(ActivitySamplingResult.None);
        using var chain = NewChain(503, 503, 503, 200);

        (await chain.GetAsync()).Dispose();

        (spans.Asked, spans.Ended.Count).ShouldBe((1, 0));
        _current.ShouldBe([null, null, null, null]);
    }

    [Fact]
    public async Task A_pause_that_refuses_the_second_attempt_leaves_the_call_without_a_span()
    {
        using var spans = new SpanCollector();
        using var chain = NewChain(503, 200);
        chain.Server.Script((clock, _, _) =>
        {
            // The retry waits for a second; the host has told somebody else to stay away for longer than this call has time.
            chain.State.Hosts.GetOrAdd(new(new(new("https://api.test")), null), chain.State.Policy.MaxHosts, clock.GetTimestamp())
                .GetOrAddPause().Extend(clock.GetTimestamp(), clock.GetTimestamp() + (200 * clock.TimestampFrequency));
            return Task.FromResult(new HttpResponseMessage(System.Net.HttpStatusCode.ServiceUnavailable));
        });

        await Assert.ThrowsAsync<RateLimitedException>(() => chain.GetAsync());

        (spans.Asked, chain.Server.Requests.Count).ShouldBe((0, 1));
    }

    [Fact]
    public async Task Of_requests_side_by_side_the_second_is_under_the_span()
    {
        using var spans = new SpanCollector();
        using var chain = HedgedChain.Create();
        var (first, second) = (HedgedChain.Answer(), HedgedChain.Answer());
        chain.Server.Script(Observed(first), Observed(second));
        using var parent = new Activity("the application's work").Start();

        var calling = chain.GetAsync();
        await chain.PassDelayAsync();
        await chain.SentAsync(2);
        second.SetResult(HedgedChain.Status(200));
        (await calling).Dispose();

        var span = spans.Ended.ShouldHaveSingleItem();
        _current.ShouldBe([parent, span], ignoreOrder: true);
        (span.ParentSpanId, span.GetTagItem("http.resilience.attempts"), span.Duration).ShouldBe((parent.SpanId, 2, HedgedChain.Delay));
        Activity.Current.ShouldBe(parent);
    }

    [Fact]
    public async Task A_retry_after_requests_side_by_side_is_under_the_same_span()
    {
        using var spans = new SpanCollector();
        using var chain = HedgedChain.Create();
        var (first, second, third) = (HedgedChain.Answer(), HedgedChain.Answer(), HedgedChain.Answer());
        chain.Server.Script(Observed(first), Observed(second), Observed(third));
        third.SetResult(HedgedChain.Status(200));

        var calling = chain.GetAsync();
        await chain.PassDelayAsync();
        await chain.SentAsync(2);
        first.SetResult(HedgedChain.Status(503));
        second.SetResult(HedgedChain.Status(503));
        await chain.Clock.TimerDueInAsync(TimeSpan.FromSeconds(1));
        chain.Clock.Advance(TimeSpan.FromSeconds(1));
        (await calling).Dispose();

        var span = spans.Ended.ShouldHaveSingleItem();
        _current.ShouldBe([null, span, span], ignoreOrder: true);
        (span.GetTagItem("http.resilience.attempts"), spans.Asked).ShouldBe((3, 1));
    }

    private Reply Observed(TaskCompletionSource<HttpResponseMessage> answer) => (clock, async, token) =>
    {
        lock (_current)
            _current.Add(Activity.Current);
        return HedgedChain.WhenNotCancelled(answer)(clock, async, token);
    };

    private Chain NewChain(params int[] statuses)
    {
        var chain = new Chain();
        chain.Server.Script([.. statuses.Select(s => Replies.With(() =>
        {
            lock (_current)
            _current.Add(Activity.Current);
            return new((System.Net.HttpStatusCode)s);
        }))]);
        return chain;
    }
}
