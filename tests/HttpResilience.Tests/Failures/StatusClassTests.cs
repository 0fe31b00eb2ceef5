using HttpResilience.Tests.CircuitBreaker;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HttpResilience.Tests.Failures;

/// <summary><c>Retry:Statuses:&lt;status&gt;:FailureClass</c>: a status of one API that means something else than the table says.</summary>
public sealed class StatusClassTests
{
    /// <summary>Status, class, whether it is retried for a GET, whether it counts against the circuit.</summary>
    public static TheoryData<int, FailureClass, bool, bool> Overrides => new()
    {
        { 400, FailureClass.Transient, true, true },
        { 404, FailureClass.ServerError, true, true },
        { 403, FailureClass.RateLimited, true, false },
        { 500, FailureClass.Permanent, false, false },
        { 503, FailureClass.Validation, false, false },
        { 429, FailureClass.Authorization, false, false },
        { 502, FailureClass.NotFound, false, false },
        { 504, FailureClass.Authentication, false, false },
        { 412, FailureClass.Conflict, false, false },
    };

    [Theory, MemberData(nameof(Overrides))]
    public async Task A_status_is_treated_as_the_class_that_it_is_given(int status, FailureClass failureClass, bool retried, bool counts)
    {
        using var chain = WithClass(status, failureClass, o => o.CircuitBreaker.UseClassic().FailureThreshold = 1);
        chain.Server.Script(Replies.Status(status), Replies.Status(200));

        var failure = await Record.ExceptionAsync(() => chain.GetAsync());

        chain.Logs.Call["FailureClass"].ShouldBe(counts || !retried ? failureClass.ToString() : null);
        (failure is CircuitOpenException).ShouldBe(counts);
        chain.Server.Requests.Count.ShouldBe(retried && !counts ? 2 : 1);
    }

    [Fact]
    public async Task A_404_that_is_an_answer_is_a_success()
    {
        using var chain = WithClass(404, FailureClass.None);
        chain.Server.Script(Replies.Status(404));

        using var response = await chain.GetAsync();

        ((int)response.StatusCode).ShouldBe(404);
        var call = response.GetHttpCall()!;
        (call.StopReason, call.FailureClass).ShouldBe((StopReason.Succeeded, FailureClass.None));
        chain.Logs.Call.Level.ShouldBe(LogLevel.Information);
    }

    [Theory, InlineData(500, false), InlineData(400, true), InlineData(503, false)]
    public async Task Whether_the_request_may_have_been_processed_does_not_depend_on_the_class(int status, bool repeated)
    {
        using var chain = WithClass(status, FailureClass.Transient, o => o.Idempotency.Enabled = false);
        chain.Server.Script(Replies.Status(status), Replies.Status(200));

        using var response = await chain.PostAsync();

        response.GetHttpCall()!.StopReason.ShouldBe(repeated ? StopReason.Succeeded : StopReason.UnsafeMethod);
    }

    [Fact]
    public async Task A_403_that_is_a_rate_limit_pauses_the_host()
    {
        using var chain = WithClass(403, FailureClass.RateLimited, o => o.Retry.MaxRetryAttempts = 0);
        chain.Server.Script(Replies.Status(403, ("Retry-After", "7")), Replies.Status(200));

        using var refused = await chain.GetAsync();
        using var next = await chain.GetAsync();

        chain.Server.Requests[1].SentAfter.ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(7));
    }

    [Fact]
    public async Task The_servers_own_word_still_beats_the_class()
    {
        using var chain = WithClass(400, FailureClass.Transient);
        chain.Server.Script(Replies.Status(400, ("X-Should-Retry", "false")));

        using var response = await chain.GetAsync();

        response.GetHttpCall()!.StopReason.ShouldBe(StopReason.NotRetryable);
    }

    [Fact]
    public void The_callers_own_cancellation_is_no_class_for_a_status()
    {
        using var chain = new Chain(settings: new Dictionary<string, string?> { ["Retry:Statuses:404:FailureClass"] = "Cancelled" });

        Should.Throw<OptionsValidationException>(() => chain.Client).Failures.ShouldBe([
            "HttpResilience:Clients:api:Retry:Statuses:404:FailureClass is 'Cancelled'; it must be one of None, Transient, ServerError, "
                + "RateLimited, "
            + "Authentication, Authorization, NotFound, Conflict, Validation, Permanent, or null.",
        ]);
    }

    private static Chain WithClass(int status, FailureClass failureClass, Action<HttpResilienceOptions>? options = null) =>
        new(options, settings: new Dictionary<string, string?> { [$"Retry:Statuses:{status}:FailureClass"] = failureClass.ToString() });
}
