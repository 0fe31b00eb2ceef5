using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.IntegrationTests.Wire;

/// <summary>
/// The answer to a redirected request is that of the last hop: "not sent" and "not processed" do not hold for the request that was
/// redirected, and the last hop's failure is not that of the host that was asked.
/// </summary>
public sealed class RedirectedAttemptTests
{
    public static TheoryData<Mode, int, bool, string> Failures
    {
        get
        {
            var data = new TheoryData<Mode, int, bool, string>();
            foreach (int redirect in (int[])[301, 302, 303, 307, 308])
            {
                foreach (string failure in (string[])["429", "503 with Retry-After", "500", "reset", "refused", "silence"])
                {
                    data.Add(redirect == 302 ? Mode.Sync : Mode.Async, redirect, true, failure);
                    // A redirect that changes neither method nor authority only corrects the address.
                    if (redirect < 307 && failure is not "refused")
                        data.Add(Mode.Async, redirect, false, failure);
                }
            }

            return data;
        }
    }

    [Theory, MemberData(nameof(Failures))]
    public async Task A_post_without_a_key_that_was_redirected_is_not_repeated(Mode mode, int redirect, bool toOtherHost, string failure)
    {
        await using var target = await KestrelServer.StartAsync(Fail(failure));
        await using var api = await StartAsync(redirect, toOtherHost ? target : null, Fail(failure));
        if (failure is "refused")
            await target.DisposeAsync();
        await using var client = Create(api, o => o.Idempotency.Enabled = false);

        var call = await CallAsync(client, mode, Sending.Post());

        api.Requests.Count(r => r.Method == "POST").ShouldBe(1);
        call.ShouldHaveEnded(attempts: 1, call.FailureClass, StopReason.UnsafeMethod);
        call.MayHaveBeenProcessed.ShouldBeTrue();
    }

    [Theory, MemberData(nameof(Failures))]
    public async Task A_post_with_a_key_that_was_redirected_is_repeated_under_its_key(
        Mode mode, int redirect, bool toOtherHost, string failure)
    {
        await using var target = await KestrelServer.StartAsync(Fail(failure));
        await using var api = await StartAsync(redirect, toOtherHost ? target : null, Fail(failure));
        if (failure is "refused")
            await target.DisposeAsync();
        await using var client = Create(api, o => o.Retry.MaxRetryAttempts = 1);

        var call = await CallAsync(client, mode, Sending.Post());

        api.Requests.Where(r => r is { Method: "POST", Target: "/invoices" }).Select(r => r.Key)
            .ShouldBe([call.IdempotencyKey, call.IdempotencyKey]);
        call.ShouldHaveEnded(attempts: 2, call.FailureClass, StopReason.AttemptsExhausted);
        call.MayHaveBeenProcessed.ShouldBeTrue();
    }

    [Theory]
    [InlineData("PUT", 307, "refused"), InlineData("PUT", 303, "429"), InlineData("GET", 302, "refused"), InlineData("GET", 301, "500")]
    [InlineData("DELETE", 308, "503 with Retry-After")]
    public async Task An_idempotent_request_that_was_redirected_is_repeated(string method, int redirect, string failure)
    {
        await using var target = await KestrelServer.StartAsync(Fail(failure));
        await using var api = await StartAsync(redirect, target);
        if (failure is "refused")
            await target.DisposeAsync();
        await using var client = Create(api, o => o.Retry.MaxRetryAttempts = 1);

        var call = await CallAsync(client, Mode.Async, new HttpRequestMessage(new(method), "/file"));

        api.Requests.Select(r => r.Method).ShouldBe([method, method]);
        call.StopReason.ShouldBe(StopReason.AttemptsExhausted);
    }

    [Theory, InlineData(307, "429"), InlineData(308, "503 with Retry-After")]
    public async Task A_redirect_to_the_same_authority_with_the_same_method_is_no_answer(int redirect, string failure)
    {
        await using var api = await StartAsync(redirect, null, Fail(failure));
        await using var client = Create(api, o => (o.Idempotency.Enabled, o.Retry.MaxRetryAttempts) = (false, 1));

        var call = await CallAsync(client, Mode.Async, Sending.Post());

        call.ShouldHaveEnded(attempts: 2, call.FailureClass, StopReason.AttemptsExhausted);
        call.MayHaveBeenProcessed.ShouldBeFalse();
    }

    [Theory]
    [InlineData("GET", 302, "503", false), InlineData("GET", 301, "refused", false), InlineData("GET", 307, "silence", false)]
    [InlineData("POST", 303, "500", false), InlineData("POST", 307, "reset", false), InlineData("GET", 302, "503", true)]
    [InlineData("GET", 308, "500", true), InlineData("PUT", 307, "503", true)]
    public async Task The_failure_of_another_host_is_neutral_for_the_circuit_of_the_host_that_was_asked(
        string method, int redirect, string failure, bool hedged)
    {
        await using var target = await KestrelServer.StartAsync(Fail(failure));
        await using var api = await StartAsync(redirect, target);
        if (failure is "refused")
            await target.DisposeAsync();
        await using var client = Create(api, o =>
        {
            o.CircuitBreaker.UseClassic().FailureThreshold = 1;
            o.Retry.MaxRetryAttempts = 1;
            (o.Hedging.Enabled, o.Hedging.Delay) = (hedged, TimeSpan.FromMinutes(1));
        });

        for (int i = 0; i < 2; i++)
            await CallAsync(client, Mode.Async, new HttpRequestMessage(new(method), "/file"));

        client.Get<ICircuits>().List().Select(c => c.State).ShouldAllBe(s => s == CircuitState.Closed);
        api.Requests.Count(r => r.Target == "/file").ShouldBe(hedged ? 8 : 4);
    }

    [Fact]
    public async Task The_failure_behind_a_redirect_to_the_same_authority_counts_for_its_circuit()
    {
        await using var api = await StartAsync(302, null, Reply.Unavailable);
        await using var client = Create(api, o => (o.CircuitBreaker.UseClassic().FailureThreshold, o.Retry.MaxRetryAttempts) = (1, 0));

        await CallAsync(client, Mode.Async, Sending.Get("/file"));

        client.Get<ICircuits>().List().Select(c => c.State).ShouldBe([CircuitState.Open]);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_retry_after_of_another_host_pauses_that_host(bool hedged)
    {
        await using var target = await KestrelServer.StartAsync(Reply.With(429, "", ("Retry-After", "60")), Reply.Ok());
        await using var api = await StartAsync(302, target);
        await using var client = Create(api, o =>
        {
            o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(50);
            (o.Hedging.Enabled, o.Hedging.Delay) = (hedged, TimeSpan.FromMinutes(1));
        });

        var first = await CallAsync(client, Mode.Async, Sending.Get("/file"));
        var again = await CallAsync(client, Mode.Async, Sending.Get("/other"));
        var direct = await client.Client.FailAsync<RateLimitedException>(
            Mode.Async, new HttpRequestMessage(HttpMethod.Get, new Uri(target.Uri, "/file")));

        first.StopReason.ShouldBe(StopReason.DeadlineWouldPass);
        again.StopReason.ShouldBe(StopReason.Succeeded);
        direct.Authority.ShouldBe(target.Uri.GetLeftPart(UriPartial.Authority));
    }

    [Fact]
    public async Task The_next_attempt_waits_as_long_as_the_other_host_asked()
    {
        await using var target = await KestrelServer.StartAsync(Reply.With(503, "", ("Retry-After", "1")), Reply.Ok());
        await using var api = await StartAsync(302, target);
        await using var client = Create(api);

        var call = await CallAsync(client, Mode.Async, Sending.Get("/file"));

        call.ShouldHaveEnded(attempts: 2, FailureClass.None, StopReason.Succeeded);
        call.Elapsed.ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task A_body_that_breaks_off_behind_a_redirect_is_not_the_fault_of_the_host_that_was_asked()
    {
        await using var target = await KestrelServer.StartAsync(async context =>
        {
            context.Response.ContentLength = 100;
            await context.Response.WriteAsync("begin");
            await context.Response.Body.FlushAsync();
            context.Abort();
        });
        await using var api = await StartAsync(302, target);
        await using var client = Create(api, o =>
        {
            (o.CircuitBreaker.UseClassic().FailureThreshold, o.Retry.MaxRetryAttempts) = (1, 1);
            o.Retry.IncludeResponseBody = true;
        });

        var call = await CallAsync(client, Mode.Async, Sending.Get("/file"));

        call.ShouldHaveEnded(attempts: 2, FailureClass.Transient, StopReason.AttemptsExhausted);
        client.Get<ICircuits>().List().Select(c => c.State).ShouldAllBe(s => s == CircuitState.Closed);
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task A_handler_inside_the_chain_hides_no_redirect(Mode mode)
    {
        await using var target = await KestrelServer.StartAsync(Fail("429"));
        await using var api = await StartAsync(303, target);
        // Restores the address, as the handler of Microsoft.Extensions.ServiceDiscovery does.
        await using var client = new ResilientClientUnderTest(
            new("http://logical.test/"), o => (o.Idempotency.Enabled, o.CircuitBreaker.UseClassic().FailureThreshold) = (false, 1),
            build: b => b.AddHttpMessageHandler(() => new Discovery(api.Uri)));

        var call = await CallAsync(client, mode, Sending.Post());

        call.ShouldHaveEnded(attempts: 1, FailureClass.RateLimited, StopReason.UnsafeMethod);
        call.MayHaveBeenProcessed.ShouldBeTrue();
    }

    [Fact]
    public async Task An_address_that_a_handler_inside_the_chain_changes_is_no_redirect()
    {
        await using var gone = await KestrelServer.StartAsync(Reply.Ok());
        await gone.DisposeAsync();
        await using var client = new ResilientClientUnderTest(
            new("http://logical.test/"),
            o =>
            {
                (o.Idempotency.Enabled, o.Retry.MaxRetryAttempts) = (false, 1);
                o.CircuitBreaker.UseClassic().FailureThreshold = 2;
            },
            build: b => b.AddAttemptHandler(r => r.RequestUri = new Uri(gone.Uri, r.RequestUri!.PathAndQuery)));

        var exception = await client.Client.FailAsync<HttpRequestException>(Mode.Async, Sending.Post());

        exception.GetHttpCall()!.MayHaveBeenProcessed.ShouldBeFalse();
        client.Get<ICircuits>().List().Single(c => c.Authority == "http://logical.test").State.ShouldBe(CircuitState.Open);
    }

    private static Task<KestrelServer> StartAsync(int redirect, KestrelServer? target, RequestDelegate? elsewhere = null)
    {
        string location = target is null ? "/elsewhere" : new Uri(target.Uri, "/elsewhere").ToString();
        var redirecting = Reply.With(redirect, "", ("Location", location));
        return KestrelServer.StartAsync(context => context.Request.Path == "/elsewhere" ? elsewhere!(context) : redirecting(context));
    }

    private static ResilientClientUnderTest Create(KestrelServer api, Action<HttpResilienceOptions>? configure = null) =>
        new(api.Uri, options =>
        {
            options.AttemptTimeout.Timeout = TimeSpan.FromSeconds(1);
            configure?.Invoke(options);
        });

    private static async Task<HttpCall> CallAsync(ResilientClientUnderTest client, Mode mode, HttpRequestMessage request)
    {
        try
        {
            using var response = await client.Client.SendAsync(mode, request);
            return response.GetHttpCall()!;
        }
        catch (Exception e) when (e.GetHttpCall() is not null)
        {
            return e.GetHttpCall()!;
        }
    }

    private static RequestDelegate Fail(string failure) => failure switch
    {
        "reset" => Reply.Abort,
        "silence" => Reply.Silence,
        "503 with Retry-After" => Reply.With(503, "", ("Retry-After", "1")),
        "refused" => Reply.Ok(),
        _ => Reply.With(int.Parse(failure, System.Globalization.CultureInfo.InvariantCulture)),
    };

    private sealed class Discovery(Uri endpoint) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var logical = request.RequestUri!;
            request.RequestUri = new(endpoint, logical.PathAndQuery);
            try
            {
                return await base.SendAsync(request, cancellationToken);
            }
            finally
            {
                request.RequestUri = logical;
            }
        }

        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var logical = request.RequestUri!;
            request.RequestUri = new(endpoint, logical.PathAndQuery);
            try
            {
                return base.Send(request, cancellationToken);
            }
            finally
            {
                request.RequestUri = logical;
            }
        }
    }
}
