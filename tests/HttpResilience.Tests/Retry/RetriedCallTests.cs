using System.Collections.Concurrent;
using System.Net;

namespace HttpResilience.Tests.Retry;

/// <summary>The main cases, sent with SendAsync and with Send.</summary>
public sealed class RetriedCallTests
{
    private static readonly TimeSpan[] ExponentialStarts =
        [TimeSpan.Zero, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(7)];

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_call_that_succeeds_at_once_is_sent_once(bool async)
    {
        using var chain = new Chain();

        using var response = await chain.GetAsync(async);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        chain.Server.Requests.Count.ShouldBe(1);
        chain.Clock.Elapsed.ShouldBe(TimeSpan.Zero);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_503_is_repeated_until_it_succeeds(bool async)
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Status(503), Replies.Status(503), Replies.Status(200, "well"));

        using var response = await chain.GetAsync(async);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldBe("well");
        chain.Server.Requests.Select(s => s.SentAfter).ShouldBe(ExponentialStarts[..3]);
        response.GetHttpCall()!.StopReason.ShouldBe(StopReason.Succeeded);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_put_is_repeated_as_it_is_and_gets_no_key(bool async)
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Status(500), Replies.Reset(), Replies.Status(200));

        using var response = await chain.SendAsync(async, new(HttpMethod.Put, "invoices/1") { Content = new StringContent("net=5") });

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        chain.Server.Requests.Select(s => s.Text).ShouldBe(["net=5", "net=5", "net=5"]);
        chain.Server.Requests.ShouldAllBe(s => s.Method.Method == "PUT" && s.IdempotencyKey == null);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_get_is_repeated_and_gets_no_key(bool async)
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Reset(), Replies.Status(200));

        using var response = await chain.GetAsync(async);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        chain.Server.Requests.Count.ShouldBe(2);
        chain.Server.Requests.ShouldAllBe(s => s.IdempotencyKey == null);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_call_that_runs_out_returns_the_last_response(bool async)
    {
        using var chain = new Chain();
        chain.Server.Script(
            Replies.Status(503), Replies.Status(502), Replies.Status(500), Replies.Status(504, "the last"), Replies.Status(200));

        using var response = await chain.GetAsync(async);

        response.StatusCode.ShouldBe(HttpStatusCode.GatewayTimeout);
        (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldBe("the last");
        chain.Server.Requests.Select(s => s.SentAfter).ShouldBe(ExponentialStarts);
        var call = response.GetHttpCall()!;
        (call.StopReason, call.FailureClass).ShouldBe((StopReason.AttemptsExhausted, FailureClass.Transient));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_call_that_runs_out_throws_the_last_exception_itself(bool async)
    {
        using var chain = new Chain();
        var last = new HttpRequestException("the last");
        chain.Server.Script(
            Replies.Reset(), Replies.Status(503), Replies.ConnectionRefused(), Replies.Throws(() => last), Replies.Status(200));

        var thrown = await Assert.ThrowsAnyAsync<HttpRequestException>(() => chain.GetAsync(async));

        thrown.ShouldBeSameAs(last);
        chain.Server.Requests.Count.ShouldBe(4);
        thrown.GetHttpCall()!.StopReason.ShouldBe(StopReason.AttemptsExhausted);
    }

    [Theory]
    [InlineData(400), InlineData(
        401), InlineData(403), InlineData(404), InlineData(409), InlineData(410), InlineData(422), InlineData(501), InlineData(505)]
    public async Task A_permanent_failure_is_sent_once(int status)
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Status(status), Replies.Status(200));

        using var response = await chain.GetAsync();

        ((int)response.StatusCode).ShouldBe(status);
        chain.Server.Requests.Count.ShouldBe(1);
        response.GetHttpCall()!.StopReason.ShouldBe(StopReason.NotRetryable);
    }

    [Theory]
    [InlineData(true, 0), InlineData(true, 1), InlineData(true, 5), InlineData(false, 0), InlineData(false, 5)]
    public async Task A_call_may_name_its_own_number_of_retries(bool async, int retries)
    {
        using var chain = new Chain(o => o.CircuitBreaker.FailureThreshold = null);
        chain.Server.Script(Replies.Status(503));

        using var response = await chain.SendAsync(async, Chain.Get().WithMaxRetryAttempts(retries));

        chain.Server.Requests.Count.ShouldBe(1 + retries);
        response.GetHttpCall()!.StopReason.ShouldBe(StopReason.AttemptsExhausted);
    }

    [Fact]
    public void A_negative_number_of_retries_is_refused() =>
        Should.Throw<ArgumentOutOfRangeException>(() => Chain.Get().WithMaxRetryAttempts(-1));

    [Fact]
    public async Task A_scope_may_name_the_number_of_retries_and_the_request_beats_it()
    {
        using var chain = new Chain(o => o.CircuitBreaker.FailureThreshold = null);
        chain.Server.Script(Replies.Status(503));

        using (HttpCallScope.Begin(new() { MaxRetryAttempts = 1 }))
        {
            (await chain.GetAsync()).Dispose();
            chain.Server.Requests.Count.ShouldBe(2);
            (await chain.SendAsync(true, Chain.Get().WithMaxRetryAttempts(2))).Dispose();
            chain.Server.Requests.Count.ShouldBe(2 + 3);
        }
    }

    [Theory, InlineData("true", 404, 4), InlineData("false", 503, 1)]
    public async Task The_server_may_say_whether_to_retry(string header, int status, int attempts)
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Status(status, ("X-Should-Retry", header)));

        using var response = await chain.GetAsync();

        chain.Server.Requests.Count.ShouldBe(attempts);
    }

    [Fact]
    public async Task A_sync_call_does_not_leave_its_thread()
    {
        using var chain = new Chain();
        chain.Clock.SkipsWaits = false;
        var attempts = new ConcurrentQueue<int>();
        chain.Server.Script((_, _, _) =>
        {
            attempts.Enqueue(Environment.CurrentManagedThreadId);
            return Task.FromResult(new HttpResponseMessage(attempts.Count == 1 ? HttpStatusCode.ServiceUnavailable : HttpStatusCode.OK));
        });
        int caller = 0;

        var sending = Task.Factory.StartNew(
            () =>
            {
                caller = Environment.CurrentManagedThreadId;
                chain.Client.Send(Chain.Get(), CancellationToken.None).Dispose();
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await chain.Clock.TimerDueInAsync(TimeSpan.FromSeconds(1));
        chain.Clock.Advance(TimeSpan.FromSeconds(1));
        await sending;

        attempts.ShouldBe([caller, caller]);
    }

    [Fact]
    public async Task Programming_errors_are_thrown_as_they_are_and_not_repeated()
    {
        using var chain = new Chain();
        var error = new InvalidOperationException("a bug");
        chain.Server.Script(Replies.Throws(() => error));

        (await Assert.ThrowsAnyAsync<InvalidOperationException>(() => chain.GetAsync())).ShouldBeSameAs(error);

        chain.Server.Requests.Count.ShouldBe(1);
        error.GetHttpCall()!.StopReason.ShouldBe(StopReason.NotRetryable);
    }
}
