using HttpResilience.Tests.CircuitBreaker;
using HttpResilience.Tests.Hedging;
using HttpResilience.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.Retry;

/// <summary>
/// A 409 to a keyed call after an attempt that may have been processed: the first request is still being processed (draft
/// Idempotency-Key §2.6).
/// </summary>
public sealed class KeyInFlightTests
{
    public static TheoryData<string, bool> AmbiguousAttempts
    {
        get
        {
            var data = new TheoryData<string, bool>();
            foreach (string first in (string[])["cut", "timed out", "500", "502", "503", "504", "408"])
            {
                data.Add(first, true);
                data.Add(first, false);
            }

            return data;
        }
    }

    [Theory, MemberData(nameof(AmbiguousAttempts))]
    public async Task A_409_after_an_ambiguous_attempt_is_repeated_with_backoff_under_the_same_key(string first, bool async)
    {
        using var chain = new Chain();
        chain.Server.Script(First(first), Replies.Status(409), Replies.Status(409), Replies.Status(201));

        using var response = await chain.PostAsync(async);

        ((int)response.StatusCode).ShouldBe(201);
        chain.Server.Requests.Select(r => r.IdempotencyKey).Distinct().ShouldHaveSingleItem().ShouldNotBeNull();
        // Waits of 2 and 4 seconds, those of the second and third retry.
        double[] sentAt = [.. chain.Server.Requests.Select(r => r.SentAfter.TotalSeconds)];
        (sentAt[2] - sentAt[1], sentAt[3] - sentAt[2]).ShouldBe((2, 4));
        response.GetHttpCall()!.Attempts.Skip(1).Select(a => a.FailureClass).ShouldBe(
            [FailureClass.Conflict, FailureClass.Conflict, FailureClass.None]);
    }

    [Fact]
    public async Task A_409_on_the_first_attempt_is_a_conflict()
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Status(409), Replies.Status(201));

        using var response = await chain.PostAsync();

        ShouldEnd(response, 409, StopReason.NotRetryable, requests: 1, chain);
    }

    [Theory, InlineData(429), InlineData(425), InlineData(0)]
    public async Task A_409_after_an_attempt_that_was_not_processed_is_a_conflict(int status)
    {
        using var chain = new Chain();
        chain.Server.Script(status == 0 ? Replies.ConnectionRefused() : Replies.Status(status), Replies.Status(409), Replies.Status(201));

        using var response = await chain.PostAsync();

        ShouldEnd(response, 409, StopReason.NotRetryable, requests: 2, chain);
    }

    [Fact]
    public async Task A_409_to_a_call_without_a_key_is_a_conflict()
    {
        using var chain = new Chain(o => (o.Idempotency.Enabled, o.Retry.UnsafeMethods) = (false, UnsafeMethods.Always));
        chain.Server.Script(Replies.Reset(), Replies.Status(409), Replies.Status(201));

        using var response = await chain.PostAsync();

        ShouldEnd(response, 409, StopReason.NotRetryable, requests: 2, chain);
    }

    [Theory, InlineData("PUT", false, 409, 2), InlineData("PUT", true, 201, 3), InlineData("PATCH", false, 201, 3),
        InlineData("DELETE", false, 409, 2), InlineData("DELETE", true, 201, 3)]
    public async Task The_key_decides_and_not_the_method(string method, bool givenKey, int status, int requests)
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Reset(), Replies.Status(409), Replies.Status(201));
        var request = new HttpRequestMessage(new(method), "invoices/1") { Content = new StringContent("{}") };

        using var response = await chain.SendAsync(true, givenKey ? request.WithIdempotencyKey("mine") : request);

        ((int)response.StatusCode, chain.Server.Requests.Count).ShouldBe((status, requests));
    }

    [Fact]
    public async Task The_409_is_returned_when_the_attempts_are_exhausted()
    {
        using var chain = new Chain(o => o.Retry.MaxRetryAttempts = 2);
        chain.Server.Script(Replies.Reset(), Replies.Status(409, "still at it"));

        using var response = await chain.PostAsync();

        ShouldEnd(response, 409, StopReason.AttemptsExhausted, requests: 3, chain);
        (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldBe("still at it");
        response.GetHttpCall()!.MayHaveBeenProcessed.ShouldBeTrue();
    }

    [Fact]
    public async Task A_resolver_is_asked_about_a_conflict_on_the_first_attempt_only()
    {
        var asked = new List<int>();
        using var chain = new Chain(services: s => s.AddSingleton<IConflictResolver>(new CountingResolver(asked)));
        chain.Server.Script(
            Replies.Reset(), Replies.Status(409), Replies.Status(201), Replies.Status(409), Replies.Status(201));

        (await chain.PostAsync()).Dispose();
        asked.ShouldBeEmpty();

        (await chain.PostAsync()).Dispose();
        asked.ShouldBe([1]);
    }

    [Theory]
    [InlineData(FailureClass.Conflict, 409, 2)]
    [InlineData(FailureClass.Permanent, 409, 2)]
    [InlineData(FailureClass.Transient, 201, 3)]
    public async Task A_class_that_the_options_give_to_409_comes_first(FailureClass failureClass, int status, int requests)
    {
        using var chain = new Chain(o => o.Retry.Statuses[409] = new() { FailureClass = failureClass });
        chain.Server.Script(Replies.Reset(), Replies.Status(409), Replies.Status(201));

        using var response = await chain.PostAsync();

        ((int)response.StatusCode, chain.Server.Requests.Count).ShouldBe((status, requests));
    }

    [Fact]
    public async Task The_delay_and_attempts_that_the_options_give_to_409_apply()
    {
        using var chain = new Chain(o => o.Retry.Statuses[409] = new() { MaxRetryAttempts = 2, Delay = TimeSpan.FromSeconds(7) });
        chain.Server.Script(Replies.Reset(), Replies.Status(409));

        using var response = await chain.PostAsync();

        ShouldEnd(response, 409, StopReason.AttemptsExhausted, requests: 3, chain);
        // The second retry: 7 s x 2.
        (chain.Server.Requests[2].SentAfter - chain.Server.Requests[1].SentAfter).ShouldBe(TimeSpan.FromSeconds(14));
    }

    [Fact]
    public async Task A_server_that_forbids_the_retry_is_obeyed()
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Reset(), Replies.Status(409, ("X-Should-Retry", "false")));

        using var response = await chain.PostAsync();

        ShouldEnd(response, 409, StopReason.NotRetryable, requests: 2, chain);
    }

    [Fact]
    public async Task The_host_is_alive()
    {
        using var chain = new Chain(o => (o.CircuitBreaker.UseClassic().FailureThreshold, o.CircuitBreaker.FailureRatio) = (2, null));
        chain.Server.Script(Replies.Reset(), Replies.Status(409), Replies.Status(409), Replies.Status(201));

        using var response = await chain.PostAsync();

        ((int)response.StatusCode).ShouldBe(201);
    }

    [Fact]
    public async Task A_key_in_doubt_makes_the_first_409_one_in_flight()
    {
        var store = new TestStorage();
        using var chain = new Chain(
            o => (o.Idempotency.RememberFor, o.Retry.MaxRetryAttempts) = (TimeSpan.FromDays(7), 1),
            services: s => s.AddSingleton<IIdempotencyStore>(store.IdempotencyKeys));
        chain.Server.Script(Replies.Status(502), Replies.Status(502), Replies.Status(409), Replies.Status(201));
        (await SendAsync()).Dispose();

        using var response = await SendAsync();

        ((int)response.StatusCode).ShouldBe(201);
        chain.Server.Requests.Select(r => r.IdempotencyKey).ShouldBe(["comp1:1", "comp1:1", "comp1:1", "comp1:1"]);

        Task<HttpResponseMessage> SendAsync() => chain.SendAsync(true, Chain.Post().WithIdempotencyKey("comp1:1"));
    }

    [Fact]
    public async Task A_remembered_key_stays_in_doubt_when_the_attempts_are_exhausted()
    {
        var store = new TestStorage();
        using var chain = new Chain(
            o => (o.Idempotency.RememberFor, o.Retry.MaxRetryAttempts) = (TimeSpan.FromDays(7), 1),
            services: s => s.AddSingleton<IIdempotencyStore>(store.IdempotencyKeys));
        chain.Server.Script(Replies.Reset(), Replies.Status(409), Replies.Status(201));
        using var first = await chain.SendAsync(true, Chain.Post().WithIdempotencyKey("comp1:1"));

        using var second = await chain.SendAsync(true, Chain.Post().WithIdempotencyKey("comp1:1"));

        ((int)first.StatusCode, (int)second.StatusCode, second.GetHttpCall()!.MayHaveBeenProcessed).ShouldBe((409, 201, true));
    }

    [Fact]
    public async Task A_hedged_write_whose_other_request_was_cut_is_repeated()
    {
        using var chain = HedgedChain.Create(o => o.Retry.Delay = TimeSpan.FromSeconds(1));
        var (first, second) = (HedgedChain.Answer(), HedgedChain.Answer());
        chain.Server.Script(HedgedChain.WhenNotCancelled(first), HedgedChain.WhenNotCancelled(second), Replies.Status(201));

        var sending = chain.PostAsync();
        await chain.PassDelayAsync();
        await chain.SentAsync(2);
        first.SetResult(HedgedChain.Status(409));
        second.SetException(new HttpRequestException("cut", new IOException("cut")));
        await chain.Clock.TimerDueInAsync(TimeSpan.FromSeconds(1));
        chain.Clock.Advance(TimeSpan.FromSeconds(1));
        using var response = await sending;

        ((int)response.StatusCode).ShouldBe(201);
        chain.Server.Requests.Select(r => r.IdempotencyKey).Distinct().ShouldHaveSingleItem();
    }

    private static Reply First(string kind) => kind switch
    {
        "cut" => Replies.Reset(),
        "timed out" => Replies.Stalls(),
        _ => Replies.Status(int.Parse(kind, System.Globalization.CultureInfo.InvariantCulture)),
    };

    private static void ShouldEnd(HttpResponseMessage response, int status, StopReason stopReason, int requests, Chain chain)
    {
        var call = response.GetHttpCall()!;
        ((int)response.StatusCode, call.StopReason, call.FailureClass, chain.Server.Requests.Count).ShouldBe(
            (status, stopReason, FailureClass.Conflict, requests));
    }

    private sealed class CountingResolver(List<int> asked) : IConflictResolver
    {
        public ValueTask<bool> ResolveAsync(
            HttpCall httpCall, HttpRequestMessage request, HttpResponseMessage conflict, CancellationToken cancellationToken)
        {
            asked.Add(httpCall.Attempts.Count);
            return new(true);
        }
    }
}
