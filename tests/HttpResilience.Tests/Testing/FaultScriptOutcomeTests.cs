using System.Net;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests;

/// <summary>The outcomes that take time, those that only a handler can play, and all of them behind the chain.</summary>
public sealed class FaultScriptOutcomeTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private readonly ManualTimeProvider _clock = new() { SkipsWaits = true };

    [Theory, InlineData(true), InlineData(false)]
    public async Task No_answer_comes_until_the_caller_gives_up(bool async)
    {
        using var client = FaultScriptTests.Client(new FaultScript().NeverAnswers());
        using var caller = new CancellationTokenSource();
        var sending = FaultScriptTests.SendAsync(client, new(HttpMethod.Get, "x"), async, caller.Token);
        sending.IsCompleted.ShouldBeFalse();

        await caller.CancelAsync();

        var exception = await Record.ExceptionAsync(() => sending.WaitAsync(TimeSpan.FromSeconds(30), Token));
        exception.ShouldBeOfType<TaskCanceledException>().CancellationToken.ShouldBe(caller.Token);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task On_a_clock_that_skips_waits_no_answer_lasts_as_long_as_the_attempt(bool async)
    {
        var script = new FaultScript(_clock).NeverAnswers().Status(200);
        using var client = Resilient(script, options => options.AttemptTimeout.Timeout = TimeSpan.FromSeconds(7));

        using var response = await FaultScriptTests.SendAsync(client, new(HttpMethod.Get, "x"), async);

        HttpCallAssert.Attempts(response.GetHttpCall(), null, 200);
        response.GetHttpCall()!.Attempts[0].Elapsed.ShouldBe(TimeSpan.FromSeconds(7));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task On_a_clock_that_skips_waits_a_body_that_stalls_lasts_as_long_as_the_attempt(bool async)
    {
        var script = new FaultScript(_clock).StalledBody(200, "the begin").Status(200, "all of it");
        using var client = Resilient(script, options =>
        {
            options.AttemptTimeout.Timeout = TimeSpan.FromSeconds(7);
            options.Retry.IncludeResponseBody = true;
        });

        using var response = await FaultScriptTests.SendAsync(client, new(HttpMethod.Get, "x"), async);

        HttpCallAssert.Attempts(response.GetHttpCall(), null, 200);
        response.GetHttpCall()!.Attempts[0].Elapsed.ShouldBe(TimeSpan.FromSeconds(7));
        (await response.Content.ReadAsStringAsync(Token)).ShouldBe("all of it");
    }

    [Fact]
    public async Task A_body_that_stalls_begins_and_ends_with_its_readers_cancellation()
    {
        using var client = FaultScriptTests.Client(new FaultScript().StalledBody(200, "the begin"));
        using var response = await client.GetAsync("x", HttpCompletionOption.ResponseHeadersRead, Token);
        var body = await response.Content.ReadAsStreamAsync(Token);
        byte[] begin = new byte[100];
        (await body.ReadAtLeastAsync(begin, 9, cancellationToken: Token)).ShouldBe(9);
        using var reader = new CancellationTokenSource();
        var reading = body.ReadAsync(begin, reader.Token).AsTask();
        reading.IsCompleted.ShouldBeFalse();

        await reader.CancelAsync();

        (await Record.ExceptionAsync(() => reading)).ShouldBeOfType<TaskCanceledException>().CancellationToken.ShouldBe(reader.Token);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Disposing_a_response_ends_a_blocked_read_of_its_body(bool async)
    {
        using var client = FaultScriptTests.Client(new FaultScript().StalledBody(200));
        var response = await client.GetAsync("x", HttpCompletionOption.ResponseHeadersRead, Token);
        var body = await response.Content.ReadAsStreamAsync(Token);
        var reading = async ? body.ReadAsync(new byte[1], Token).AsTask() : Task.Run(() => body.Read(new byte[1]), Token);

        response.Dispose();

        await Should.ThrowAsync<ObjectDisposedException>(() => reading.WaitAsync(TimeSpan.FromSeconds(30), Token));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task An_outcome_may_come_late(bool async)
    {
        var script =
            new FaultScript(_clock).Status(503).Delayed(TimeSpan.FromSeconds(2)).Reset().Delayed(TimeSpan.FromSeconds(3)).Status(200);
        using var client = Resilient(script, options => options.Retry.Delay = TimeSpan.FromSeconds(1));

        using var response = await FaultScriptTests.SendAsync(client, new(HttpMethod.Get, "x"), async);

        script.Requests.Select(r => r.SentAfter.TotalSeconds).ShouldBe([0, 2 + 1, 3 + 3 + 2]);
    }

    [Fact]
    public async Task An_outage_resets_everything_for_its_time_and_then_the_script_goes_on()
    {
        var clock = new ManualTimeProvider();
        var script = new FaultScript(clock).Status(200)
            .OutageFor(TimeSpan.FromSeconds(10)).Status(201).OutageFor(TimeSpan.FromSeconds(5)).OutageFor(TimeSpan.FromSeconds(5));
        using var client = FaultScriptTests.Client(script);
        async Task<string> Next(double afterSeconds)
        {
            clock.Advance(TimeSpan.FromSeconds(afterSeconds));
            try
            {
                return (await client.GetAsync("x", Token)).StatusCode.ToString();
            }
            catch (HttpRequestException e)
            {
                return e.InnerException!.GetType().Name;
            }
        }

        (await Next(100)).ShouldBe("OK");
        (await Next(100)).ShouldBe("IOException");
        (await Next(9.9)).ShouldBe("IOException");
        (await Next(0.1)).ShouldBe("Created");
        (await Next(0)).ShouldBe("IOException");
        (await Next(4.9)).ShouldBe("IOException");
        // The last one has no end.
        (await Next(0.1)).ShouldBe("IOException");
        (await Next(1000)).ShouldBe("IOException");
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task An_exception_is_thrown_anew_each_time(bool async)
    {
        var script = new FaultScript().Throws(() => new TimeoutException("Mine")).Times(2).Status(200);
        using var client = FaultScriptTests.Client(script);

        var first = await Should.ThrowAsync<TimeoutException>(() => FaultScriptTests.SendAsync(client, new(HttpMethod.Get, "x"), async));
        var second = await Should.ThrowAsync<TimeoutException>(() => FaultScriptTests.SendAsync(client, new(HttpMethod.Get, "x"), async));

        first.Message.ShouldBe("Mine");
        second.ShouldNotBeSameAs(first);
    }

    [Fact]
    public async Task An_outcome_that_needs_a_server_says_so()
    {
        var script = new FaultScript().Raw("HTTP/1.1 200 OK").Serve(_ => Task.CompletedTask);
        using var client = FaultScriptTests.Client(script);

        (await Should.ThrowAsync<InvalidOperationException>(() => client.GetAsync("x", Token))).Message.ShouldContain("FaultServer");
        (await Should.ThrowAsync<InvalidOperationException>(() => client.GetAsync("x", Token))).Message.ShouldContain("FaultServer");
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Each_failure_is_of_the_kind_that_the_chain_knows(bool async)
    {
        var script = new FaultScript(_clock)
            .Refused().HostNotFound().Reset().HalfHead().NeverAnswers().Status(429, retryAfter: TimeSpan.FromSeconds(90)).Status(201);
        using var client = Resilient(script, options =>
        {
            options.Retry.MaxRetryAttempts = 10;
            options.CircuitBreaker.FailureThreshold = 100;
            options.TotalRequestTimeout.Timeout = TimeSpan.FromHours(1);
        });

        using var response = await FaultScriptTests.SendAsync(
            client, new(HttpMethod.Post, "x") { Content = new StringContent("{}") }, async);

        var call = script.Calls.ShouldHaveSingleItem();
        call.ShouldBeSameAs(response.GetHttpCall());
        HttpCallAssert.Attempts(call, null, null, null, null, null, 429, 201);
        call.Attempts.Select(a => a.FailureClass).Take(6).ShouldBe(
            [.. Enumerable.Repeat(FailureClass.Transient, 5), FailureClass.RateLimited]);
        call.IdempotencyKey.ShouldBe(HttpCallAssert.SameKeyOnEveryRequest(script.Requests));
        (script.Requests[6].SentAfter - script.Requests[5].SentAfter).ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(90));
    }

    [Fact]
    public async Task The_calls_of_a_typed_client_are_found_at_the_script()
    {
        var script = new FaultScript(_clock).Status(503).Status(200).Status(404);
        using var client = Resilient(script);

        await client.GetStringAsync("x", Token);
        await Should.ThrowAsync<HttpRequestException>(() => client.GetStringAsync("x", Token));

        script.Calls.Count.ShouldBe(2);
        HttpCallAssert.Attempts(script.Calls[0], 503, 200);
        HttpCallAssert.Attempts(script.Calls[1], 404);
        script.Requests[1].Call.ShouldBeSameAs(script.Calls[0]);
    }

    [Fact]
    public async Task A_processed_request_may_be_cut_off_and_the_same_key_tells_the_repetition()
    {
        List<string> keys = [];
        var script = new FaultScript(_clock).Decide(request =>
        {
            bool isNew = !keys.Contains(request.IdempotencyKey!);
            keys.Add(request.IdempotencyKey!);
            return isNew ? Outcome.Reset() : Outcome.Status((int)HttpStatusCode.OK);
        });
        using var client = Resilient(script);

        using var response = await client.PostAsync("x", new StringContent("{}"), Token);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        keys.Count.ShouldBe(2);
    }

    private HttpClient Resilient(FaultScript script, Action<HttpResilienceOptions>? configure = null)
    {
        var services = new ServiceCollection().AddSingleton<TimeProvider>(_clock);
        services.AddResilientHttpClient("api", options =>
        {
            options.Retry.UseJitter = false;
            configure?.Invoke(options);
        }).ConfigurePrimaryHttpMessageHandler(() => script).ConfigureHttpClient(c => c.BaseAddress = new("https://api.test/"));
        return services.BuildServiceProvider().GetRequiredService<IHttpClientFactory>().CreateClient("api");
    }
}
