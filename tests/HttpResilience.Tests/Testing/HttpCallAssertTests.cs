using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests;

public sealed class HttpCallAssertTests : IDisposable
{
    private readonly FaultScript _script;
    private readonly ServiceProvider _services;
    private readonly HttpClient _client;

    public HttpCallAssertTests()
    {
        var clock = new ManualTimeProvider { SkipsWaits = true };
        _script = new(clock);
        var services = new ServiceCollection().AddSingleton<TimeProvider>(clock);
        services.AddResilientHttpClient("api", options => options.Retry.UseJitter = false)
            .ConfigurePrimaryHttpMessageHandler(() => _script).ConfigureHttpClient(c => c.BaseAddress = new("https://api.test/"));
        _services = services.BuildServiceProvider();
        _client = _services.GetRequiredService<IHttpClientFactory>().CreateClient("api");
    }

    [Fact]
    public async Task An_assertion_that_holds_passes()
    {
        _script.Status(503).Reset().Status(201);
        var call = await PostAsync();

        HttpCallAssert.Attempts(call, 503, null, 201);
        HttpCallAssert.Stopped(call, StopReason.Succeeded);
        HttpCallAssert.Ended(call, FailureClass.None);
        HttpCallAssert.SameKeyOnEveryRequest(_script.Requests).ShouldBe(call!.IdempotencyKey);
        HttpCallAssert.WaitedAtLeast(_script.Requests, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2));
    }

    [Fact]
    public async Task An_assertion_that_fails_throws_and_reports_the_whole_call()
    {
        _script.Status(503).Reset().Status(201);
        var call = await PostAsync();

        Failure(() => HttpCallAssert.Attempts(call, 503, 201)).ShouldBe(
            "The attempts should have been 503, 201. The call of 'api' made 503, no response (HttpRequestException), 201; "
                + "stop reason Succeeded, failure class None, after 00:00:03.");
        Failure(() => HttpCallAssert.Attempts(call, 503, 201, null)).ShouldStartWith(
            "The attempts should have been 503, 201, no response.");
        Failure(() => HttpCallAssert.Attempts(call)).ShouldStartWith("The attempts should have been none.");
        Failure(() => HttpCallAssert.Stopped(call, StopReason.Cancelled)).ShouldStartWith(
            "The stop reason should have been Cancelled. The call of 'api' made 503");
        Failure(() => HttpCallAssert.Ended(call, FailureClass.Conflict)).ShouldStartWith(
            "The failure class should have been Conflict. The call of 'api' made 503");
    }

    [Fact]
    public async Task A_single_null_is_one_attempt_without_a_response()
    {
        _script.Throws(() => new InvalidOperationException("Mine"));

        var exception = await Should.ThrowAsync<InvalidOperationException>(PostAsync);

        HttpCallAssert.Attempts(exception.GetHttpCall(), null);
        Failure(() => HttpCallAssert.Attempts(exception.GetHttpCall())).ShouldContain("no response (InvalidOperationException)");
    }

    [Fact]
    public void A_call_that_is_not_there_says_so()
    {
        Failure(() => HttpCallAssert.Attempts(null, 200)).ShouldStartWith("There is no call");
        Failure(() => HttpCallAssert.Stopped(null, StopReason.Succeeded)).ShouldStartWith("There is no call");
        Failure(() => HttpCallAssert.Ended(null, FailureClass.None)).ShouldStartWith("There is no call");
    }

    [Fact]
    public async Task Keys_that_differ_or_are_missing_are_reported()
    {
        Failure(() => HttpCallAssert.SameKeyOnEveryRequest(_script.Requests)).ShouldBe(
            "Every request should have carried the same Idempotency-Key. They were: none.");
        await _client.GetAsync("x", TestContext.Current.CancellationToken);
        Failure(() => HttpCallAssert.SameKeyOnEveryRequest(_script.Requests)).ShouldContain(
            "GET https://api.test/x after 00:00:00: no key");
        await PostAsync();
        Failure(() => HttpCallAssert.SameKeyOnEveryRequest(_script.Requests)).ShouldContain(_script.Requests[1].IdempotencyKey!);
        await PostAsync();
        Failure(() => HttpCallAssert.SameKeyOnEveryRequest(_script.Requests.Skip(1)));

        Failure(() => HttpCallAssert.SameKeyOnEveryRequest([_script.Requests[1]], "X-Key")).ShouldContain("X-Key");
        HttpCallAssert.SameKeyOnEveryRequest([_script.Requests[1]]).ShouldBe(_script.Requests[1].IdempotencyKey);
    }

    [Fact]
    public async Task A_delay_that_is_too_short_or_superfluous_is_reported()
    {
        _script.Status(503).Status(200);
        await PostAsync();

        Failure(() => HttpCallAssert.WaitedAtLeast(_script.Requests, TimeSpan.FromMilliseconds(1001)))
            .ShouldBe("The waits should have been at least 00:00:01.0010000; they were 00:00:01.");
        Failure(() => HttpCallAssert.WaitedAtLeast(_script.Requests)).ShouldContain("at least none");
        Failure(() => HttpCallAssert.WaitedAtLeast(_script.Requests, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1)));
    }

    public void Dispose()
    {
        _client.Dispose();
        _script.Dispose();
        _services.Dispose();
    }

    private async Task<HttpCall?> PostAsync()
    {
        using var response = await _client.PostAsync("invoices", new StringContent("{}"), TestContext.Current.CancellationToken);
        return response.GetHttpCall();
    }

    private static string Failure(Action assertion) => Should.Throw<HttpCallAssertException>(assertion).Message;
}
