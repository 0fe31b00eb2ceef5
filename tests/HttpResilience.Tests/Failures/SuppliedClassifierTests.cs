using System.Net;
using HttpResilience.Tests.CircuitBreaker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Tests.Failures;

/// <summary><see cref="IFailureClassifier"/>: the application's own word.</summary>
public sealed class SuppliedClassifierTests
{
    [Theory, InlineData(true), InlineData(false)]
    public async Task A_success_whose_body_is_an_error_is_retried(bool async)
    {
        using var chain = With((_, response, _, builtIn) =>
            response?.Content.ReadAsStringAsync().Result.Contains("busy", StringComparison.Ordinal) is true
                ? new(FailureClass.Transient)
                : builtIn,
            o => o.Retry.IncludeResponseBody = true);
        chain.Server.Script(Replies.Status(200, "{\"error\":\"busy\"}"), Replies.Status(200, "{\"id\":1}"));

        using var response = await chain.GetAsync(async);

        (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldBe("{\"id\":1}");
        response.GetHttpCall()!.Attempts.Select(a => a.FailureClass).ShouldBe([FailureClass.Transient, FailureClass.None]);
    }

    [Fact]
    public async Task The_classifier_sees_the_call_the_exception_and_the_built_in_result()
    {
        var seen = new List<(string Client, int Attempts, HttpStatusCode? Status, Type? Exception, FailureClassification BuiltIn)>();
        using var chain = With((call, response, exception, builtIn) =>
        {
            seen.Add((call.ClientName, call.Attempts.Count, response?.StatusCode, exception?.GetType(), builtIn));
            return builtIn;
        });
        chain.Server.Script(Replies.Reset(), Replies.Status(429, ("Retry-After", "3")), Replies.Status(201));

        (await chain.PostAsync()).Dispose();

        seen.ShouldBe([
            (Chain.Name, 0, null, typeof(HttpRequestException), new(FailureClass.Transient)),
            (Chain.Name, 1, HttpStatusCode.TooManyRequests, null, new(FailureClass.RateLimited) { RetryAfter = TimeSpan.FromSeconds(3) }),
            (Chain.Name, 2, HttpStatusCode.Created, null, new(FailureClass.None)),
        ]);
    }

    [Fact]
    public async Task The_classifier_says_how_long_the_call_waits_and_other_calls_do_not()
    {
        using var chain = With((_, response, _, builtIn) =>
            response?.StatusCode is HttpStatusCode.ServiceUnavailable ? builtIn with { Delay = TimeSpan.FromSeconds(7) } : builtIn);
        chain.Server.Script(Replies.Status(503), Replies.Status(200));

        var waiting = await chain.GetAsync();

        waiting.GetHttpCall()!.Attempts.Count.ShouldBe(2);
        chain.Clock.Elapsed.ShouldBe(TimeSpan.FromSeconds(7));
        chain.State.Hosts.All.Cast<HostState>().ShouldHaveSingleItem().Pause.ShouldBeNull();
    }

    [Fact]
    public async Task An_exception_can_be_made_final()
    {
        using var chain = With((_, _, exception, builtIn) => exception is null ? builtIn : new(FailureClass.Permanent));
        chain.Server.Script(Replies.ConnectionRefused());

        var failure = await Should.ThrowAsync<HttpRequestException>(() => chain.GetAsync());

        (failure.GetHttpCall()!.StopReason, failure.GetHttpCall()!.Attempts.Count).ShouldBe((StopReason.NotRetryable, 1));
    }

    [Theory, InlineData(true, StopReason.UnsafeMethod), InlineData(false, StopReason.Succeeded)]
    public async Task The_classifier_says_whether_the_request_may_have_been_processed(bool mayHave, StopReason expected)
    {
        using var chain = With((_, response, _, builtIn) =>
            response?.StatusCode is HttpStatusCode.Conflict ? new(FailureClass.Transient) { MayHaveBeenProcessed = mayHave } : builtIn,
            o => o.Idempotency.Enabled = false);
        chain.Server.Script(Replies.Status(409), Replies.Status(200));

        using var response = await chain.PostAsync();

        response.GetHttpCall()!.StopReason.ShouldBe(expected);
    }

    [Fact]
    public async Task The_classifier_says_how_long_to_wait()
    {
        using var chain = With((_, response, _, builtIn) => response?.StatusCode is HttpStatusCode.BadRequest
            ? new(FailureClass.RateLimited) { RetryAfter = TimeSpan.FromSeconds(20) } : builtIn);
        chain.Server.Script(Replies.Status(400), Replies.Status(200));

        (await chain.GetAsync()).Dispose();

        chain.Server.Requests[1].SentAfter.ShouldBe(TimeSpan.FromSeconds(20));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task The_classifier_says_what_counts_against_the_circuit(bool counts)
    {
        using var chain = With((_, response, _, _) => new(FailureClass.Permanent) { CountsAgainstCircuit = counts },
            o => o.CircuitBreaker.UseClassic().FailureThreshold = 1);
        chain.Server.Script(Replies.Status(200));

        (await chain.GetAsync()).Dispose();

        (await Record.ExceptionAsync(() => chain.GetAsync()) is CircuitOpenException).ShouldBe(counts);
    }

    [Fact]
    public async Task No_retry_is_its_last_word_even_for_a_status_that_names_attempts()
    {
        using var chain = With((_, _, _, _) => new(FailureClass.Permanent), o => o.Retry.Statuses[404] = new() { MaxRetryAttempts = 2 });
        chain.Server.Script(Replies.Status(404));

        using var response = await chain.GetAsync();

        response.GetHttpCall()!.StopReason.ShouldBe(StopReason.NotRetryable);
    }

    [Fact]
    public async Task A_failure_that_the_classifier_does_not_change_keeps_its_status_options()
    {
        using var chain = With((_, _, _, builtIn) => builtIn, o => o.Retry.Statuses[404] = new() { MaxRetryAttempts = 2 });
        chain.Server.Script(Replies.Status(404));

        using var response = await chain.GetAsync();

        response.GetHttpCall()!.Attempts.Count.ShouldBe(3);
    }

    [Fact]
    public async Task The_classifier_does_not_see_rejections_of_the_chain()
    {
        var judged = new List<Type?>();
        using var chain = With((_, _, exception, builtIn) =>
        {
            judged.Add(exception?.GetType());
            return builtIn;
        }, o => (o.Hedging.Enabled, o.CircuitBreaker.UseClassic().FailureThreshold, o.Retry.MaxRetryAttempts) = (true, 1, 0));
        chain.Server.Script(Replies.Reset());

        await Record.ExceptionAsync(() => chain.GetAsync());
        await Should.ThrowAsync<CircuitOpenException>(() => chain.GetAsync());

        judged.ShouldNotContain(typeof(CircuitOpenException));
    }

    [Fact]
    public async Task A_cancellation_by_the_caller_is_not_its_to_judge()
    {
        int asked = 0;
        using var chain = With((_, _, _, builtIn) =>
        {
            asked++;
            return builtIn;
        });
        using var caller = new CancellationTokenSource();
        var begun = new TaskCompletionSource();
        chain.Server.Script(Replies.Hangs(begun));

        var sending = chain.SendAsync(true, Chain.Get(), caller.Token);
        await begun.Task;
        await caller.CancelAsync();

        (await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending)).GetHttpCall()!.StopReason.ShouldBe(StopReason.Cancelled);
        asked.ShouldBe(0);
    }

    public static TheoryData<string> Broken => ["throws", "Cancelled", "None for an exception", "no such class"];

    [Theory, MemberData(nameof(Broken))]
    public async Task A_classifier_that_throws_is_logged_and_the_built_in_result_stands(string how)
    {
        using var chain = With((_, _, exception, builtIn) => how switch
        {
            _ when exception is null => builtIn,
            "Cancelled" => new(FailureClass.Cancelled),
            "None for an exception" => new(FailureClass.None),
            "no such class" => new((FailureClass)99),
            _ => throw new FormatException("mine"),
        });
        chain.Server.Script(Replies.Reset(), Replies.Status(200));

        using var response = await chain.GetAsync();

        response.GetHttpCall()!.Attempts.Count.ShouldBe(2);
        var told = chain.Logs.WithId(407).ShouldHaveSingleItem();
        (told.Level, told.Message).ShouldBe((LogLevel.Error, "api: Classifier failed; the built-in classification is used"));
    }

    [Fact]
    public async Task The_one_of_the_client_comes_before_the_one_of_all()
    {
        using var chain = new Chain(services: services => services
            .AddSingleton<IFailureClassifier>(new Classifier((_, _, _, _) => new(FailureClass.Permanent)))
            .AddKeyedSingleton<IFailureClassifier>(Chain.Name, new Classifier((_, _, _, builtIn) => builtIn))
            .AddKeyedSingleton<IFailureClassifier>("other", new Classifier((_, _, _, _) => new(FailureClass.Permanent))));

        using var response = await chain.GetAsync();

        response.GetHttpCall()!.FailureClass.ShouldBe(FailureClass.None);
    }

    private static Chain With(
        Func<HttpCall, HttpResponseMessage?, Exception?, FailureClassification, FailureClassification> classify,
        Action<HttpResilienceOptions>? options = null) =>
        new(options, services: services => services.AddSingleton<IFailureClassifier>(new Classifier(classify)));

    private sealed class Classifier(Func<HttpCall, HttpResponseMessage?, Exception?, FailureClassification, FailureClassification> classify)
        : IFailureClassifier
    {
        public FailureClassification Classify(
            HttpCall httpCall, HttpResponseMessage? response, Exception? exception, FailureClassification builtIn) =>
            classify(httpCall, response, exception, builtIn);
    }
}
