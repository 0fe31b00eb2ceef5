using System.Net;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.Calls;

/// <summary>The story that the call tells afterwards.</summary>
public sealed class HttpCallTests
{
    [Theory, InlineData(true), InlineData(false)]
    public async Task After_a_success_the_response_tells_the_whole_call(bool async)
    {
        using var chain = new Chain();
        chain.Server.Script(
            Replies.After(TimeSpan.FromMilliseconds(150), Replies.Status(503)),
            Replies.ConnectionRefused(),
            Replies.After(TimeSpan.FromMilliseconds(50), Replies.Status(201)));

        using var response = await chain.SendAsync(
            async, Chain.Post().WithIdempotencyKey("mine").WithTenant("comp1").WithTag("rowNumber", 5));

        var call = response.GetHttpCall().ShouldNotBeNull();
        call.ClientName.ShouldBe(Chain.Name);
        call.IdempotencyKey.ShouldBe("mine");
        call.Tenant.ShouldBe("comp1");
        call.Tags.ShouldBe([new("rowNumber", 5)]);
        (call.StopReason, call.FailureClass).ShouldBe((StopReason.Succeeded, FailureClass.None));
        call.Elapsed.ShouldBe(TimeSpan.FromMilliseconds(150 + 1000 + 2000 + 50));
        call.Attempts.ShouldBe(
        [
            new(HttpStatusCode.ServiceUnavailable, FailureClass.Transient, null, TimeSpan.FromMilliseconds(150)),
            new(null, FailureClass.Transient, nameof(HttpRequestException), TimeSpan.Zero),
            new(HttpStatusCode.Created, FailureClass.None, null, TimeSpan.FromMilliseconds(50)),
        ]);
    }

    [Fact]
    public async Task A_call_of_one_attempt_has_one_attempt()
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.After(TimeSpan.FromMilliseconds(7), Replies.Status(204)));

        using var response = await chain.GetAsync();

        var call = response.GetHttpCall()!;
        call.Attempts.ShouldHaveSingleItem().ShouldBe(new(HttpStatusCode.NoContent, FailureClass.None, null, TimeSpan.FromMilliseconds(7)));
        call.Tags.ShouldBeEmpty();
        call.Tenant.ShouldBeNull();
        call.IdempotencyKey.ShouldBeNull();
    }

    [Theory]
    [InlineData(400, FailureClass.Validation), InlineData(401, FailureClass.Authentication), InlineData(403, FailureClass.Authorization)]
    [InlineData(404, FailureClass.NotFound), InlineData(409, FailureClass.Conflict), InlineData(418, FailureClass.Permanent)]
    [InlineData(429, FailureClass.RateLimited), InlineData(500, FailureClass.ServerError), InlineData(503, FailureClass.Transient)]
    public async Task After_a_failure_the_response_tells_its_class(int status, FailureClass failureClass)
    {
        using var chain = new Chain(o => o.Retry.MaxRetryAttempts = 0);
        chain.Server.Script(Replies.Status(status));

        using var response = await chain.GetAsync();

        response.GetHttpCall()!.FailureClass.ShouldBe(failureClass);
        response.GetHttpCall()!.Attempts[0].FailureClass.ShouldBe(failureClass);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task After_an_exception_the_exception_tells_the_call(bool async)
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Reset());

        var thrown = await Assert.ThrowsAnyAsync<HttpRequestException>(() => chain.GetAsync(async));

        var call = thrown.GetHttpCall().ShouldNotBeNull();
        call.Attempts.Count.ShouldBe(4);
        (call.StopReason, call.FailureClass).ShouldBe((StopReason.AttemptsExhausted, FailureClass.Transient));
        call.Elapsed.ShouldBe(TimeSpan.FromSeconds(7));
    }

    // HttpClient wraps what the chain throws when the caller's token is cancelled.
    [Fact]
    public async Task The_call_is_found_through_what_HttpClient_wraps_around_the_exception()
    {
        using var chain = new Chain();
        using var caller = new CancellationTokenSource();
        chain.Server.Script(Replies.Throws(() =>
        {
            caller.Cancel();
            return new HttpRequestException("gone");
        }));

        var thrown = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => chain.SendAsync(true, Chain.Get(), caller.Token));

        thrown.InnerException.ShouldNotBeNull();
        thrown.GetHttpCall().ShouldNotBeNull().StopReason.ShouldBe(StopReason.Cancelled);
        new InvalidOperationException("mine", thrown).GetHttpCall().ShouldBeSameAs(thrown.GetHttpCall());
    }

    [Fact]
    public void A_response_that_did_not_pass_the_chain_has_no_call()
    {
        using var response = new HttpResponseMessage();
        using var request = Chain.Get();
        using var answered = new HttpResponseMessage { RequestMessage = request };

        response.GetHttpCall().ShouldBeNull();
        answered.GetHttpCall().ShouldBeNull();
        new HttpRequestException("elsewhere", new IOException()).GetHttpCall().ShouldBeNull();
    }

    [Fact]
    public async Task A_response_without_its_request_is_given_it()
    {
        using var chain = new Chain();
        var request = Chain.Get();

        using var response = await chain.SendAsync(true, request);

        response.RequestMessage.ShouldBeSameAs(request);
    }

    [Fact]
    public async Task A_call_that_is_running_can_be_seen_by_the_handlers_inside()
    {
        HttpCall? seen = null;
        using var chain = new Chain(client: b => b.AddHttpMessageHandler(() => new Looks(request => seen = HttpCall.Of(request))));
        chain.Server.Script(Replies.After(TimeSpan.FromSeconds(1), Replies.Status(200)));

        using var response = await chain.GetAsync();

        seen.ShouldBeSameAs(response.GetHttpCall());
    }

    [Fact]
    public async Task The_caller_cannot_change_the_tags_of_a_call()
    {
        using var chain = new Chain();

        using var response = await chain.SendAsync(true, Chain.Get().WithTag("rowNumber", 5));

        (response.GetHttpCall()!.Tags as IDictionary<string, object?>)?.IsReadOnly.ShouldBeTrue();
    }

    [Fact]
    public void A_request_beside_others_has_a_start_of_its_own_and_ends_with_the_attempt()
    {
        using var chain = new Chain();
        using var request = Chain.Get();
        var call = HttpCall.Open(request, chain.State);
        call.Timer = chain.State.Timers.Rent(async: true, CancellationToken.None);
        call.Timer.Start(startedAt: call.StartedAt + 100, due: call.StartedAt + 1000);

        var branch = call.Branch(call.StartedAt + 500, sentBeside: 1);

        (branch.StartedAt, branch.AttemptStartedAt, call.AttemptStartedAt).ShouldBe(
            (call.StartedAt + 500, call.StartedAt + 500, call.StartedAt + 100));
        branch.AttemptTimedOut.ShouldBeFalse();
        chain.Clock.Advance(TimeSpan.FromMilliseconds(1));
        branch.AttemptTimedOut.ShouldBeTrue();
    }

    private sealed class Looks(Action<HttpRequestMessage> look) : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            look(request);
            return base.SendAsync(request, cancellationToken);
        }
    }
}
