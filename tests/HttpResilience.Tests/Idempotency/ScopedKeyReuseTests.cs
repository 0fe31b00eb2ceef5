using System.Globalization;
using System.Net.Http.Json;
using HttpResilience.Tests.Http;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Tests.Idempotency;

/// <summary>One key, one request: what an API would answer from memory is refused before it is sent.</summary>
public sealed class ScopedKeyReuseTests
{
    [Theory, InlineData(true), InlineData(false)]
    public async Task Another_body_under_the_key_of_a_scope_is_refused_before_it_is_sent(bool async)
    {
        using var chain = new Chain();
        using var scope = HttpCallScope.Begin(new() { IdempotencyKey = "comp1:invoice:001" });
        (await chain.SendAsync(async, Post("first"))).Dispose();

        var thrown = await Assert.ThrowsAsync<IdempotencyKeyReusedException>(() => chain.SendAsync(async, Post("second")));

        (thrown.IdempotencyKey, thrown.Difference).ShouldBe(("comp1:invoice:001", "body"));
        thrown.Message.ShouldContain("'comp1:invoice:001'");
        thrown.Message.ShouldContain("a different body; nothing was sent");
        chain.Server.Requests.Count.ShouldBe(1);
        var call = thrown.GetHttpCall()!;
        (call.StopReason, call.FailureClass, call.IdempotencyKey, call.Attempts.Count)
            .ShouldBe((StopReason.NotRetryable, FailureClass.Permanent, "comp1:invoice:001", 0));
        (chain.Logs.Calls[1].Level, chain.Logs.Calls[1]["StopReason"], chain.Logs.Calls[1]["ErrorType"])
            .ShouldBe((LogLevel.Warning, "NotRetryable", nameof(IdempotencyKeyReusedException)));
    }

    public static TheoryData<string, string, string, string> Others => new()
    {
        { "PATCH", "invoices", "x", "method" },
        { "POST", "orders", "x", "URI" },
        { "POST", "invoices?draft=1", "x", "URI" },
        { "POST", "invoices", "y", "body" },
        { "POST", "invoices", "", "body" },
        { "PATCH", "orders", "y", "method and URI and body" },
    };

    [Theory, MemberData(nameof(Others))]
    public async Task The_difference_is_reported(string method, string uri, string body, string difference)
    {
        using var chain = new Chain();
        using var scope = HttpCallScope.Begin(new() { IdempotencyKey = "mine" });
        (await chain.SendAsync(true, Post("x"))).Dispose();

        var thrown = await Assert.ThrowsAsync<IdempotencyKeyReusedException>(
            () => chain.SendAsync(true, new(new(method), uri) { Content = new StringContent(body) }));

        thrown.Difference.ShouldBe(difference);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task The_same_request_may_be_sent_again(bool async)
    {
        using var chain = new Chain();
        using var scope = HttpCallScope.Begin(new() { IdempotencyKey = "mine" });
        chain.Server.Script(Replies.Status(422), Replies.Status(503), Replies.Status(201));

        (await chain.SendAsync(async, Post("x"))).Dispose();
        using var response = await chain.SendAsync(
            async, new(HttpMethod.Post, "https://api.test:443/invoices") { Content = new ByteArrayContent("x"u8.ToArray()) });

        chain.Server.Requests.Select(s => (s.IdempotencyKey, s.Text)).ShouldBe([("mine", "x"), ("mine", "x"), ("mine", "x")]);
        response.GetHttpCall()!.StopReason.ShouldBe(StopReason.Succeeded);
    }

    [Fact]
    public async Task A_scope_inside_that_inherits_the_key_inherits_the_request()
    {
        using var chain = new Chain();
        using var outer = HttpCallScope.Begin(new() { IdempotencyKey = "mine" });
        using (HttpCallScope.Begin(new() { Tenant = "a" }))
            (await chain.SendAsync(true, Post("x"))).Dispose();

        await Assert.ThrowsAsync<IdempotencyKeyReusedException>(() => chain.SendAsync(true, Post("y")));
        using (HttpCallScope.Begin(new() { IdempotencyKey = "mine" }))
            await Assert.ThrowsAsync<IdempotencyKeyReusedException>(() => chain.SendAsync(true, Post("y")));
        using (HttpCallScope.Begin(new() { IdempotencyKey = "another" }))
        using (HttpCallScope.Begin(new() { IdempotencyKey = "mine" }))
            await Assert.ThrowsAsync<IdempotencyKeyReusedException>(() => chain.SendAsync(true, Post("y")));

        chain.Server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Keys_of_their_own_stand_for_requests_of_their_own()
    {
        using var chain = new Chain();
        using var outer = HttpCallScope.Begin(new() { IdempotencyKey = "outer", Tags = { ["job"] = 1 } });
        (await chain.SendAsync(true, Post("x"))).Dispose();
        using (HttpCallScope.Begin(new() { IdempotencyKey = "inner" }))
            (await chain.SendAsync(true, Post("y"))).Dispose();
        (await chain.SendAsync(true, Post("z").WithIdempotencyKey("of request"))).Dispose();
        (await chain.SendAsync(true, new(HttpMethod.Get, "invoices"))).Dispose();
        (await chain.SendAsync(true, Post("x"))).Dispose();

        chain.Server.Requests.Select(s => s.IdempotencyKey).ShouldBe(["outer", "inner", "of request", null, "outer"]);
    }

    [Fact]
    public async Task A_scope_that_begins_anew_knows_nothing_of_the_one_before()
    {
        using var chain = new Chain();
        var options = new HttpCallScopeOptions { IdempotencyKey = "mine" };
        foreach (string body in new[] { "x", "y" })
        {
            using (HttpCallScope.Begin(options))
                (await chain.SendAsync(true, Post(body))).Dispose();
        }

        chain.Server.Requests.Count.ShouldBe(2);
    }

    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public async Task Of_calls_at_the_same_time_one_request_wins_and_the_others_are_refused(int kinds)
    {
        using var chain = new Chain();
        using var scope = HttpCallScope.Begin(new() { IdempotencyKey = "mine" });
        using var barrier = new Barrier(16);

        string?[] outcomes = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Task.Factory.StartNew(
            () =>
            {
                string body = (i % kinds).ToString(CultureInfo.InvariantCulture);
                barrier.SignalAndWait();
                try
                {
                    using var response = chain.Client.Send(Post(body), TestContext.Current.CancellationToken);
                    return body;
                }
                catch (IdempotencyKeyReusedException)
                {
                    return null;
                }
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));

        outcomes.OfType<string>().Distinct().ShouldHaveSingleItem();
        outcomes.Count(o => o is null).ShouldBe(16 - chain.Server.Requests.Count);
        chain.Server.Requests.Select(s => s.Text).Distinct().ShouldHaveSingleItem();
        chain.Server.Requests.Count.ShouldBe(
            Enumerable.Range(0, 16).Count(i => (i % kinds).ToString(CultureInfo.InvariantCulture) == chain.Server.Requests[0].Text));
    }

    [Fact]
    public async Task A_typed_clients_json_is_compared()
    {
        using var chain = new Chain();
        using var scope = HttpCallScope.Begin(new() { IdempotencyKey = "mine" });
        (await chain.Client.PostAsJsonAsync(
            "invoices", new Dictionary<string, int> { ["number"] = 1 }, TestContext.Current.CancellationToken)).Dispose();
        (await chain.Client.PostAsJsonAsync(
            "invoices", new Dictionary<string, int> { ["number"] = 1 }, TestContext.Current.CancellationToken)).Dispose();

        await Assert.ThrowsAsync<IdempotencyKeyReusedException>(
            () => chain.Client.PostAsJsonAsync(
                "invoices", new Dictionary<string, int> { ["number"] = 2 }, TestContext.Current.CancellationToken));

        chain.Server.Requests.Select(s => s.Text).ShouldBe(["{\"number\":1}", "{\"number\":1}"]);
    }

    [Fact]
    public async Task A_stream_that_is_not_recorded_is_sent_as_it_comes()
    {
        using var chain = new Chain(o => o.Retry.MaxReplayBodyBytes = 0);
        using var scope = HttpCallScope.Begin(new() { IdempotencyKey = "mine" });

        foreach (string body in new[] { "x", "y" })
        {
            using var content = new StreamContent(new OneShotStream(System.Text.Encoding.ASCII.GetBytes(body)));
            (await chain.SendAsync(true, Chain.Post(content))).Dispose();
        }

        chain.Server.Requests.Select(s => s.Text).ShouldBe(["x", "y"]);
        using var elsewhere = new StreamContent(new OneShotStream("x"u8.ToArray()));
        (await Assert.ThrowsAsync<IdempotencyKeyReusedException>(
            () => chain.SendAsync(true, new(HttpMethod.Post, "orders") { Content = elsewhere })))
            .Difference.ShouldBe("URI");
    }

    [Fact]
    public async Task A_key_in_the_callers_own_header_is_the_callers_own_affair()
    {
        using var chain = new Chain();
        using var scope = HttpCallScope.Begin(new() { IdempotencyKey = "mine" });
        foreach (string body in new[] { "x", "y" })
        {
            var request = Post(body);
            request.Headers.Add("Idempotency-Key", "mine");
            (await chain.SendAsync(true, request)).Dispose();
        }

        chain.Server.Requests.Count.ShouldBe(2);
    }

    [Fact]
    public void The_exception_is_one_that_callers_already_catch_and_is_not_retried()
    {
        var exception = new IdempotencyKeyReusedException("mine", "body");

        exception.ShouldBeAssignableTo<HttpRequestException>();
        var result = FailureClassifier.Classify(exception, timedOut: false, cancelled: false);
        (result.FailureClass, result.IsRetryable, result.CircuitOutcome).ShouldBe((FailureClass.Permanent, false, CircuitOutcome.Neutral));
    }

    private static HttpRequestMessage Post(string body) => new(HttpMethod.Post, "invoices") { Content = new StringContent(body) };
}
