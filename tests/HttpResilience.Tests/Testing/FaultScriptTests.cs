using System.Net;

namespace HttpResilience.Tests;

/// <summary>
/// The order of a script, and its record. What each outcome looks like to a client is in the integration tests, beside a real server.
/// </summary>
public sealed class FaultScriptTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory, InlineData(true), InlineData(false)]
    public async Task Outcomes_are_played_in_order_and_the_last_one_repeats(bool async)
    {
        var script = new FaultScript().Status(503).Times(2).Status(429).Json(201, "{}");

        (await StatusesAsync(script, 6, async)).ShouldBe([503, 503, 429, 201, 201, 201]);
    }

    [Fact]
    public async Task A_replaced_script_begins_anew_and_keeps_its_record()
    {
        var script = new FaultScript().Status(503).OutageFor(TimeSpan.FromHours(1));
        using var http = new HttpClient(script) { BaseAddress = new("https://api.test/") };
        (await http.GetAsync(new Uri("a", UriKind.Relative), TestContext.Current.CancellationToken)).Dispose();

        script.Replace(Outcome.Status(201), Outcome.Status(202)).Status(203);

        foreach (int status in (int[])[201, 202, 203])
        {
            using var response = await http.GetAsync(new Uri("b", UriKind.Relative), TestContext.Current.CancellationToken);
            ((int)response.StatusCode).ShouldBe(status);
        }

        script.Requests.Count.ShouldBe(4);
        Should.Throw<ArgumentException>(() => script.Replace(Outcome.Reset(), null!));
    }

    [Fact]
    public async Task A_script_without_outcomes_answers_200() => (await StatusesAsync(new(), 2)).ShouldBe([200, 200]);

    [Fact]
    public async Task A_script_may_be_added_to_while_it_is_played()
    {
        var script = new FaultScript().Status(500);
        await StatusesAsync(script, 3);

        script.Status(200);

        (await StatusesAsync(script, 1)).ShouldBe([200]);
    }

    [Fact]
    public async Task Requests_at_the_same_time_share_one_script()
    {
        var script = new FaultScript().Status(503).Times(50).Status(201);
        using var client = Client(script);

        var responses = await Task.WhenAll(
            Enumerable.Range(0, 200).Select(_ => Task.Run(() => client.PostAsync("x", new StringContent("body"), Token), Token)));

        responses.Count(r => r.StatusCode is HttpStatusCode.ServiceUnavailable).ShouldBe(50);
        responses.Count(r => r.StatusCode is HttpStatusCode.Created).ShouldBe(150);
        script.RequestCount.ShouldBe(200);
        script.Requests.Count.ShouldBe(200);
        script.Requests.ShouldAllBe(r => r.Text == "body");
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task The_script_records_the_requests(bool async)
    {
        var clock = new ManualTimeProvider();
        var script = new FaultScript(clock).Status(200);
        using var client = Client(script);
        clock.Advance(TimeSpan.FromSeconds(2));
        using var request = new HttpRequestMessage(HttpMethod.Put, "invoices/1?a=b") { Content = new ByteArrayContent([1, 2, 255]) };
        request.Headers.Add("Idempotency-Key", "key-1");
        request.Headers.Add("X-Two", ["1", "2"]);
        request.Content.Headers.ContentType = new("application/pdf");

        using var response = await SendAsync(client, request, async);

        var sent = script.Requests.ShouldHaveSingleItem();
        sent.Method.ShouldBe(HttpMethod.Put);
        sent.Uri.ShouldBe(new Uri("https://api.test/invoices/1?a=b"));
        sent.Body.ToArray().ShouldBe([1, 2, 255]);
        sent.IdempotencyKey.ShouldBe("key-1");
        sent.Headers["x-two"].ShouldBe("1, 2");
        sent.Headers["content-type"].ShouldBe("application/pdf");
        sent.SentAt.ShouldBe(ManualTimeProvider.DefaultStart.AddSeconds(2));
        sent.SentAfter.ShouldBe(TimeSpan.FromSeconds(2));
        sent.Call.ShouldBeNull();
        sent.ToString().ShouldBe("PUT https://api.test/invoices/1?a=b after 00:00:02");
        response.RequestMessage.ShouldBeSameAs(request);
    }

    [Fact]
    public async Task A_recorded_request_does_not_change_with_its_message()
    {
        var script = new FaultScript();
        using var client = Client(script);
        byte[] body = [1];
        using var request = new HttpRequestMessage(HttpMethod.Post, "x") { Content = new ByteArrayContent(body) };
        using var response = await client.SendAsync(request, Token);

        body[0] = 2;
        request.Headers.Add("X-Late", "1");

        script.Requests[0].Body.ToArray().ShouldBe([1]);
        script.Requests[0].Headers.Keys.ShouldNotContain("X-Late");
    }

    [Fact]
    public async Task A_body_that_the_outcome_does_not_read_is_not_recorded()
    {
        var script = new FaultScript().Status(413).Unread();
        using var client = Client(script);

        using var response = await client.PostAsync("x", new StringContent("too long"), Token);

        ((int)response.StatusCode).ShouldBe(413);
        script.Requests.ShouldHaveSingleItem().Body.IsEmpty.ShouldBeTrue();
    }

    [Fact]
    public async Task Requests_are_counted_even_when_they_are_not_kept()
    {
        var script = new FaultScript(keepsRequests: false).Status(200);

        await StatusesAsync(script, 3);

        script.RequestCount.ShouldBe(3);
        script.Requests.ShouldBeEmpty();
        script.Calls.ShouldBeEmpty();
    }

    [Fact]
    public async Task Disposing_leaves_the_script_alone()
    {
        var script = new FaultScript().Status(503).Status(200);
        using (var first = new HttpClient(script) { BaseAddress = new("https://api.test/") })
            await first.GetAsync("x", Token);

        (await StatusesAsync(script, 1)).ShouldBe([200]);
    }

    [Fact]
    public async Task A_cancelled_request_is_not_sent()
    {
        var script = new FaultScript();
        using var invoker = new HttpMessageInvoker(script);

        await Should.ThrowAsync<OperationCanceledException>(
            () => invoker.SendAsync(new(HttpMethod.Get, "https://api.test/"), new CancellationToken(true)));
        Should.Throw<OperationCanceledException>(() => invoker.Send(new(HttpMethod.Get, "https://api.test/"), new CancellationToken(true)));

        script.RequestCount.ShouldBe(0);
    }

    [Fact]
    public void An_invalid_outcome_is_refused_when_it_is_added()
    {
        var script = new FaultScript();

        Should.Throw<InvalidOperationException>(() => script.Times(2));
        Should.Throw<InvalidOperationException>(() => script.Delayed(TimeSpan.FromSeconds(1)));
        Should.Throw<InvalidOperationException>(() => script.Unread());
        Should.Throw<ArgumentOutOfRangeException>(() => script.Status(200).Times(0));
        Should.Throw<ArgumentOutOfRangeException>(() => script.Delayed(TimeSpan.FromTicks(-1)));
        Should.Throw<ArgumentOutOfRangeException>(() => script.OutageFor(TimeSpan.Zero));
        Should.Throw<ArgumentNullException>(() => script.Then(null!));
        script.OutageFor(TimeSpan.FromSeconds(1));
        Should.Throw<InvalidOperationException>(() => script.Delayed(TimeSpan.FromSeconds(1)));
        Should.Throw<InvalidOperationException>(() => script.Unread());
    }

    internal static HttpClient Client(FaultScript script) => new(script, disposeHandler: false) { BaseAddress = new("https://api.test/") };

    internal static Task<HttpResponseMessage> SendAsync(
        HttpClient client, HttpRequestMessage request, bool async, CancellationToken? caller = null) => async
        ? client.SendAsync(request, caller ?? Token)
        : Task.Factory.StartNew(
            () => client.Send(request, caller ?? Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static async Task<int[]> StatusesAsync(FaultScript script, int count, bool async = true)
    {
        using var client = Client(script);
        var statuses = new int[count];
        for (int i = 0; i < count; i++)
        {
            using var response = await SendAsync(client, new(HttpMethod.Get, "x"), async);
            statuses[i] = (int)response.StatusCode;
        }

        return statuses;
    }
}
