using System.Diagnostics;

namespace HttpResilience.IntegrationTests;

/// <summary>W3C Trace Context over the real handler: each attempt has its own span.</summary>
public sealed class TraceContextTests
{
    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task Each_attempt_has_its_own_traceparent(Mode mode)
    {
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is "System.Net.Http",
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
        };
        ActivitySource.AddActivityListener(listener);
        await using var server = await KestrelServer.StartAsync(Reply.Unavailable, Reply.Unavailable, Reply.Ok());
        await using var client = new ResilientClientUnderTest(server.Uri);
        using var parent = new Activity("the application's work") { TraceStateString = "vendor=1" }.AddBaggage("customer", "7").Start();

        using var response = await client.Client.SendAsync(mode, Sending.Post());

        response.ShouldHaveSucceeded(attempts: 3);
        var contexts = server.Requests.Select(r => ActivityContext.Parse(r.Headers["traceparent"], r.Headers["tracestate"])).ToArray();
        contexts.Select(c => c.SpanId).Distinct().Count().ShouldBe(3);
        contexts.ShouldAllBe(c => c.TraceId == parent.TraceId && c.SpanId != parent.SpanId && c.TraceState == "vendor=1");
        server.Requests.Select(r => r.Headers.GetValueOrDefault("baggage") ?? r.Headers.GetValueOrDefault("Correlation-Context"))
            .Distinct().ShouldHaveSingleItem();
        client.Log.Calls.ShouldHaveSingleItem()["TraceId"].ShouldBe(parent.TraceId.ToString());
    }

    [Fact]
    public async Task Headers_that_a_handler_inside_the_chain_adds_do_not_accumulate()
    {
        await using var server = await KestrelServer.StartAsync(Reply.Unavailable, Reply.Unavailable, Reply.Ok());
        int attempts = 0;
        await using var client = new ResilientClientUnderTest(server.Uri, build: b => b.AddAttemptHandler(request =>
        {
            request.Headers.Add("X-Token", $"token-{++attempts}");
            request.Headers.UserAgent.ParseAdd("inner/1.0");
            request.Content!.Headers.ContentLanguage.Add("de");
        }));
        var request = Sending.Post();
        request.Headers.UserAgent.ParseAdd("outer/1.0");

        using var response = await client.Client.SendAsync(Mode.Async, request);

        server.Requests.Select(r => r.Headers["X-Token"]).ShouldBe(["token-1", "token-2", "token-3"]);
        server.Requests.ShouldAllBe(r => r.Headers["User-Agent"] == "outer/1.0 inner/1.0" && r.Headers["Content-Language"] == "de");
    }
}
