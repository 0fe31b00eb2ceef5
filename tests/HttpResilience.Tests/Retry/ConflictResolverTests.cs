using System.Net;
using HttpResilience.Tests.Http;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.Retry;

/// <summary><see cref="IConflictResolver"/>: after a 409 the request is brought up to date and sent again.</summary>
public sealed class ConflictResolverTests
{
    [Theory, InlineData(true), InlineData(false)]
    public async Task The_request_is_sent_again_at_once_with_the_fresh_state(bool async)
    {
        using var chain = With(async (_, request, conflict, token) =>
        {
            request.Content = new StringContent(
                $"{await request.Content!.ReadAsStringAsync(token)} on {await conflict.Content.ReadAsStringAsync(token)}");
            request.Headers.TryAddWithoutValidation("If-Match", "v2");
            return true;
        });
        chain.Server.Script(Replies.Status(409, "v2"), Replies.Status(200));

        using var response = await chain.SendAsync(async, Put());

        ((int)response.StatusCode).ShouldBe(200);
        chain.Server.Requests.Select(s => (s.SentAfter, s.Text, s.Headers.GetValueOrDefault("If-Match"))).ShouldBe([
            (TimeSpan.Zero, "change", null), (TimeSpan.Zero, "change on v2", "v2"),
        ]);
        response.GetHttpCall()!.Attempts.Select(a => a.FailureClass).ShouldBe([FailureClass.Conflict, FailureClass.None]);
    }

    [Fact]
    public async Task Changes_of_the_resolver_apply_to_the_following_retries()
    {
        using var chain = With((_, request, _, _) =>
        {
            request.RequestUri = new("https://api.test/invoices/1?version=2");
            request.Headers.TryAddWithoutValidation("If-Match", "v2");
            return Yes;
        });
        chain.Server.Script(Replies.Status(409), Replies.Status(503), Replies.Status(200));

        (await chain.SendAsync(true, Put())).Dispose();

        chain.Server.Requests.Select(s => (s.Uri.Query, s.Headers.GetValueOrDefault("If-Match"))).ShouldBe(
            [("", null), ("?version=2", "v2"), ("?version=2", "v2")]);
    }

    [Fact]
    public async Task A_key_that_the_chain_made_is_made_anew()
    {
        using var chain = With((_, _, _, _) => Yes);
        chain.Server.Script(Replies.Status(409), Replies.Status(503), Replies.Status(200));

        using var response = await chain.PostAsync();

        var keys = chain.Server.Requests.Select(s => s.IdempotencyKey).ToArray();
        keys[0].ShouldNotBe(keys[1]);
        keys[1].ShouldBe(keys[2]);
        response.GetHttpCall()!.IdempotencyKey.ShouldBe(keys[1]);
    }

    [Fact]
    public async Task A_key_from_content_is_that_of_the_new_content()
    {
        using var chain = With((_, request, _, _) =>
        {
            request.Content = new StringContent("fresh");
            return Yes;
        }, o => o.Idempotency.KeySource = KeySource.Content);
        chain.Server.Script(Replies.Status(409), Replies.Status(200), Replies.Status(200));

        (await chain.PostAsync()).Dispose();
        (await chain.SendAsync(true, Chain.Post(new StringContent("fresh")))).Dispose();

        var keys = chain.Server.Requests.Select(s => s.IdempotencyKey).ToArray();
        keys[0].ShouldNotBe(keys[1]);
        keys[1].ShouldBe(keys[2]);
    }

    [Theory, InlineData(null, "mine"), InlineData("theirs", "theirs")]
    public async Task A_key_of_the_application_is_the_applications_to_change(string? changed, string expected)
    {
        using var chain = With((_, request, _, _) =>
        {
            if (changed is null)
                return Yes;
            request.Headers.Remove("Idempotency-Key");
            request.Headers.TryAddWithoutValidation("Idempotency-Key", changed);
            return Yes;
        });
        chain.Server.Script(Replies.Status(409), Replies.Status(200));

        using var response = await chain.SendAsync(true, Chain.Post().WithIdempotencyKey("mine"));

        chain.Server.Requests[1].IdempotencyKey.ShouldBe(expected);
        response.GetHttpCall()!.IdempotencyKey.ShouldBe(expected);
    }

    [Fact]
    public async Task A_key_that_an_attempt_may_have_been_processed_under_stays()
    {
        using var chain = With((_, _, _, _) => Yes, o => o.Retry.Statuses[412] = new() { FailureClass = FailureClass.Conflict });
        chain.Server.Script(Replies.Reset(), Replies.Status(412), Replies.Status(200));

        (await chain.PostAsync()).Dispose();

        chain.Server.Requests.Select(s => s.IdempotencyKey).Distinct().ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Without_the_key_that_it_took_away_the_request_is_not_repeated_when_it_may_have_been_processed()
    {
        using var chain = With((_, request, _, _) =>
        {
            request.Headers.Remove("Idempotency-Key");
            return Yes;
        });
        chain.Server.Script(Replies.Status(409), Replies.Status(500), Replies.Status(200));

        using var response = await chain.SendAsync(true, Chain.Post().WithIdempotencyKey("mine"));

        (response.GetHttpCall()!.StopReason, response.GetHttpCall()!.IdempotencyKey).ShouldBe((StopReason.UnsafeMethod, null));
    }

    [Fact]
    public async Task A_key_that_it_sets_itself_is_not_replaced()
    {
        using var chain = With((_, request, _, _) =>
        {
            request.Headers.Remove("Idempotency-Key");
            request.Headers.TryAddWithoutValidation("Idempotency-Key", "its own");
            return Yes;
        });
        chain.Server.Script(Replies.Status(409), Replies.Status(200));

        (await chain.PostAsync()).Dispose();

        chain.Server.Requests[1].IdempotencyKey.ShouldBe("its own");
    }

    [Fact]
    public async Task A_conflict_without_a_response_is_not_its_to_resolve()
    {
        using var chain = With((_, _, _, _) => throw new InvalidOperationException("Asked"));
        chain.Server.Script(Replies.Throws(() => new HttpRequestException("mine", null, HttpStatusCode.Conflict)));

        (await Should.ThrowAsync<HttpRequestException>(() => chain.SendAsync(true, Put()))).Message.ShouldBe("mine");
    }

    [Fact]
    public async Task When_it_cannot_the_caller_gets_the_conflict()
    {
        using var chain = With((_, _, _, _) => new(false));
        chain.Server.Script(Replies.Status(409, "why"));

        using var response = await chain.SendAsync(true, Put());

        (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldBe("why");
        var call = response.GetHttpCall()!;
        (call.StopReason, call.FailureClass, call.Attempts.Count).ShouldBe((StopReason.NotRetryable, FailureClass.Conflict, 1));
    }

    [Fact]
    public async Task When_it_fails_the_caller_learns_of_both()
    {
        var body = new DisposedContent();
        using var chain = With((_, _, _, _) => throw new IOException("fetch failed"));
        chain.Server.Script(Replies.Content(409, () => body));

        var failure = await Should.ThrowAsync<HttpRequestException>(() => chain.SendAsync(true, Put()));

        failure.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        failure.InnerException.ShouldBeOfType<IOException>();
        failure.GetHttpCall()!.StopReason.ShouldBe(StopReason.NotRetryable);
        body.IsDisposed.ShouldBeTrue();
    }

    [Fact]
    public async Task The_resolver_is_called_as_often_as_attempts_are_left()
    {
        int asked = 0;
        using var chain = With((_, _, _, _) =>
        {
            asked++;
            return Yes;
        });
        chain.Server.Script(Replies.Status(409));

        using var response = await chain.SendAsync(true, Put());

        (asked, chain.Server.Requests.Count, response.GetHttpCall()!.StopReason).ShouldBe((3, 4, StopReason.AttemptsExhausted));
    }

    [Fact]
    public async Task A_request_that_is_still_being_worked_on_is_no_conflict()
    {
        using var chain = With((_, _, _, _) => throw new InvalidOperationException("Asked"));
        chain.Server.Script(Replies.Status(409, ("Retry-After", "2")), Replies.Status(201));

        using var response = await chain.PostAsync();

        chain.Server.Requests.Select(s => s.IdempotencyKey).Distinct().ShouldHaveSingleItem();
        chain.Server.Requests[1].SentAfter.ShouldBe(TimeSpan.FromSeconds(2));
    }

    [Fact]
    public async Task A_precondition_that_failed_is_a_conflict_when_configuration_says_so()
    {
        using var chain = With((_, _, _, _) => Yes, o => o.Retry.Statuses[412] = new() { FailureClass = FailureClass.Conflict });
        chain.Server.Script(Replies.Status(412), Replies.Status(200));

        using var response = await chain.SendAsync(true, Put());

        ((int)response.StatusCode).ShouldBe(200);
    }

    [Fact]
    public async Task The_resolver_learns_that_the_conflict_may_be_with_the_call_itself()
    {
        bool? mayHave = null;
        using var chain = With((call, _, _, _) =>
        {
            mayHave = call.MayHaveBeenProcessed;
            return new(false);
        }, o => o.Retry.Statuses[412] = new() { FailureClass = FailureClass.Conflict });
        chain.Server.Script(Replies.Reset(), Replies.Status(412));

        (await chain.PostAsync()).Dispose();

        mayHave.ShouldBe(true);
    }

    [Fact]
    public async Task A_new_body_that_can_be_read_only_once_is_recorded_too()
    {
        using var chain = With((_, request, _, _) =>
        {
            request.Content = new StreamContent(new OneShotStream("fresh"u8.ToArray()));
            return Yes;
        });
        chain.Server.Script(Replies.Status(409), Replies.Status(503), Replies.Status(200));

        // Whose body is looked at, and known to be in memory.
        using var scope = HttpCallScope.Begin(new() { IdempotencyKey = "mine" });
        using var response = await chain.PostAsync();

        response.GetHttpCall()!.StopReason.ShouldBe(StopReason.Succeeded);
        chain.Server.Requests.Select(s => s.Text).ShouldBe(["{\"number\":1}", "fresh", "fresh"]);
    }

    [Fact]
    public async Task The_conflict_itself_is_disposed_when_the_request_goes_out_again()
    {
        var body = new DisposedContent();
        using var chain = With((_, _, _, _) => Yes);
        chain.Server.Script(Replies.Content(409, () => body), Replies.Status(200));

        (await chain.SendAsync(true, Put())).Dispose();

        body.IsDisposed.ShouldBeTrue();
    }

    private static ValueTask<bool> Yes => new(true);

    private static HttpRequestMessage Put() => new(HttpMethod.Put, "invoices/1") { Content = new StringContent("change") };

    private static Chain With(
        Func<HttpCall, HttpRequestMessage, HttpResponseMessage, CancellationToken, ValueTask<bool>> resolve,
        Action<HttpResilienceOptions>? options = null) =>
        new(options, services: services => services.AddSingleton<IConflictResolver>(new Resolver(resolve)));

    private sealed class Resolver(Func<HttpCall, HttpRequestMessage, HttpResponseMessage, CancellationToken, ValueTask<bool>> resolve)
        : IConflictResolver
    {
        public ValueTask<bool> ResolveAsync(
            HttpCall httpCall, HttpRequestMessage request, HttpResponseMessage conflict, CancellationToken cancellationToken) =>
            resolve(httpCall, request, conflict, cancellationToken);
    }

    private sealed class DisposedContent() : ByteArrayContent([])
    {
        internal bool IsDisposed { get; private set; }

        protected override void Dispose(bool disposing)
        {
            IsDisposed = true;
            base.Dispose(disposing);
        }
    }
}
