using System.Net.Http.Headers;

namespace HttpResilience.Tests.Clients;

/// <summary>
/// What people complain about in public when one policy holds for a whole client: a slow export, an LLM call of minutes, a long poll, an
/// upload. Each is one route; the other calls keep their 30 seconds.
/// </summary>
public sealed class RouteComplaintTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private static readonly Dictionary<string, string?> Settings = new()
    {
        ["TotalRequestTimeout:Timeout"] = "00:00:30",
        ["AttemptTimeout:Timeout"] = "00:00:30",
        ["CircuitBreaker:SlowCallDuration"] = "00:00:05",
        ["CircuitBreaker:SlowCallRatio"] = "0.5",
        ["CircuitBreaker:MinimumThroughput"] = "3",
        ["Routes:POST /exports/*:TotalRequestTimeout:Timeout"] = "00:10:00",
        ["Routes:POST /exports/*:AttemptTimeout:Timeout"] = "00:10:00",
        ["Routes:POST /exports/*:CircuitBreaker:SlowCallDuration"] = null,
        ["Routes:POST /v1/chat/completions:TotalRequestTimeout:Timeout"] = "00:12:00",
        ["Routes:POST /v1/chat/completions:AttemptTimeout:Timeout"] = "00:05:00",
        ["Routes:POST /v1/chat/completions:Retry:MaxRetryAttempts"] = "1",
        ["Routes:POST /v1/chat/completions:CircuitBreaker:SlowCallDuration"] = null,
        ["Routes:GET /events/**:TotalRequestTimeout:Timeout"] = "00:02:00",
        ["Routes:GET /events/**:AttemptTimeout:Timeout"] = "00:02:00",
        ["Routes:GET /events/**:Retry:MaxRetryAttempts"] = "0",
        ["Routes:GET /events/**:CircuitBreaker:BreakDuration"] = null,
        ["Routes:PUT /files/*:TotalRequestTimeout:Timeout"] = "01:00:00",
        ["Routes:PUT /files/*:AttemptTimeout:Timeout"] = "00:30:00",
        ["Routes:PUT /files/*:Retry:MaxReplayBodyBytes"] = "0",
        ["Routes:PUT /files/*:CircuitBreaker:SlowCallDuration"] = null,
    };

    [Theory, InlineData(true), InlineData(false)]
    public async Task An_export_of_eight_minutes_succeeds_while_other_calls_end_after_thirty_seconds(bool async)
    {
        using var chain = new Chain(settings: Settings);
        chain.Server.Script(Replies.After(8 * Minute, Replies.Status(200)), Replies.Stalls());

        using var export = await chain.SendAsync(async, new(HttpMethod.Post, "exports/17"));
        var other = await Assert.ThrowsAnyAsync<TaskCanceledException>(() => chain.SendAsync(async, Chain.Get("exports/17")));

        (export.GetHttpCall()!.StopReason, export.GetHttpCall()!.Elapsed).ShouldBe((StopReason.Succeeded, 8 * Minute));
        export.GetHttpCall()!.Route.ShouldBe("POST /exports/*");
        other.GetHttpCall()!.Elapsed.ShouldBe(TimeSpan.FromSeconds(30));
        other.GetHttpCall()!.Route.ShouldBeNull();
        chain.Logs.Entries.ShouldNotContain(e => e.Message.Contains("circuit", StringComparison.OrdinalIgnoreCase)
            && e.Level >= Microsoft.Extensions.Logging.LogLevel.Warning);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task An_export_that_takes_longer_ends_at_the_deadline_of_its_route(bool async)
    {
        using var chain = new Chain(settings: Settings);
        chain.Server.Script(Replies.Stalls());

        var thrown = await Assert.ThrowsAnyAsync<TaskCanceledException>(
            () => chain.SendAsync(async, new(HttpMethod.Post, "exports/17")));

        chain.Clock.Elapsed.ShouldBe(10 * Minute);
        thrown.GetHttpCall()!.StopReason.ShouldBe(StopReason.DeadlinePassed);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task An_answer_of_a_language_model_takes_four_minutes_and_a_failed_one_is_asked_for_once_more(bool async)
    {
        using var chain = new Chain(settings: Settings);
        chain.Server.Script(
            Replies.Stalls(), Replies.After(4 * Minute, Replies.Status(200)), Replies.After(4 * Minute, Replies.Status(503)));

        using var response = await chain.SendAsync(async, new(HttpMethod.Post, "v1/chat/completions"));
        using var failed = await chain.SendAsync(async, new(HttpMethod.Post, "v1/chat/completions"));

        response.GetHttpCall()!.Attempts.Select(a => a.FailureClass).ShouldBe([FailureClass.Transient, FailureClass.None]);
        response.GetHttpCall()!.Elapsed.ShouldBe(9 * Minute + TimeSpan.FromSeconds(1));
        (failed.GetHttpCall()!.Attempts.Count, failed.GetHttpCall()!.StopReason).ShouldBe((2, StopReason.AttemptsExhausted));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Polls_that_wait_for_their_answer_neither_open_the_circuit_nor_are_repeated(bool async)
    {
        using var chain = new Chain(settings: Settings);
        chain.Server.Script(
            [.. Enumerable.Repeat(Replies.After(1.5 * Minute, Replies.Status(204)), 20), .. Enumerable.Repeat(Replies.Stalls(), 10),
                Replies.Status(200)]);

        for (int i = 0; i < 20; i++)
            (await chain.SendAsync(async, Chain.Get("events/next?after=1"))).Dispose();
        for (int i = 0; i < 10; i++)
            await Assert.ThrowsAnyAsync<TaskCanceledException>(() => chain.SendAsync(async, Chain.Get("events/next")));
        using var other = await chain.GetAsync(async);

        chain.Server.Requests.Count.ShouldBe(31);
        other.GetHttpCall()!.StopReason.ShouldBe(StopReason.Succeeded);
        chain.State.Hosts.All.Single().Circuit.State.ShouldBe(CircuitState.Closed);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task The_same_polls_under_the_settings_of_the_client_open_the_circuit(bool async)
    {
        using var chain = new Chain(settings: Settings);
        chain.Server.Script(Replies.After(TimeSpan.FromSeconds(6), Replies.Status(204)));

        for (int i = 0; i < 3; i++)
            (await chain.SendAsync(async, Chain.Get("other"))).Dispose();

        chain.State.Hosts.All.Single().Circuit.State.ShouldBe(CircuitState.Open);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task An_upload_of_twenty_minutes_has_an_attempt_timeout_of_its_own(bool async)
    {
        using var chain = new Chain(settings: Settings);
        int read = 0;
        chain.Server.Respond(request =>
        {
            read = request.Body.Length;
            chain.Clock.Advance(20 * Minute);
            return new(System.Net.HttpStatusCode.Created);
        });

        using var response = await chain.SendAsync(async, new(HttpMethod.Put, "files/17") { Content = Upload(5_000_000) });

        (response.GetHttpCall()!.StopReason, read).ShouldBe((StopReason.Succeeded, 5_000_000));
    }

    [Theory, InlineData("files/17", 1, StopReason.BodyNotReplayable), InlineData("documents/17", 4, StopReason.AttemptsExhausted)]
    public async Task Only_the_body_of_an_upload_is_not_kept_for_a_second_attempt(string path, int attempts, StopReason reason)
    {
        using var chain = new Chain(settings: Settings);
        chain.Server.Status(503);

        using var response = await chain.SendAsync(
            true, new(HttpMethod.Put, path) { Content = Upload(100_000) });

        (response.GetHttpCall()!.Attempts.Count, response.GetHttpCall()!.StopReason).ShouldBe((attempts, reason));
    }

    private static StreamContent Upload(int length) =>
        new(new OneWay(length)) { Headers = { ContentType = new MediaTypeHeaderValue("application/octet-stream") } };

    private sealed class OneWay(int length) : MemoryStream(new byte[length])
    {
        public override bool CanSeek => false;
    }
}
