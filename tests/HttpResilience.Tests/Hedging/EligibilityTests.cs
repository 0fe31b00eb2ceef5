using System.Net;

namespace HttpResilience.Tests.Hedging;

public sealed class EligibilityTests
{
    [Theory]
    [InlineData("GET", false, UnsafeMethods.WhenKeyed, true)]
    [InlineData("HEAD", false, UnsafeMethods.Never, true)]
    [InlineData("OPTIONS", false, UnsafeMethods.WhenKeyed, true)]
    [InlineData("PUT", false, UnsafeMethods.WhenKeyed, true)]
    [InlineData("DELETE", false, UnsafeMethods.Never, true)]
    [InlineData("POST", false, UnsafeMethods.WhenKeyed, false)]
    [InlineData("POST", true, UnsafeMethods.WhenKeyed, true)]
    [InlineData("POST", true, UnsafeMethods.Always, true)]
    [InlineData("POST", true, UnsafeMethods.Never, false)]
    [InlineData("POST", false, UnsafeMethods.Always, false)]
    [InlineData("PATCH", false, UnsafeMethods.WhenKeyed, false)]
    [InlineData("PATCH", true, UnsafeMethods.WhenKeyed, true)]
    public void Only_what_is_idempotent_or_keyed_is_hedged(string method, bool keyed, UnsafeMethods unsafeMethods, bool hedged) =>
        HedgingDecision.AppliesTo(new HttpMethod(method).IsIdempotent, keyed, unsafeMethods, maxRetryAttempts: null).ShouldBe(hedged);

    [Theory, InlineData(null, true), InlineData(1, true), InlineData(0, false)]
    public void A_call_that_wants_no_repetition_is_not_hedged(int? maxRetryAttempts, bool hedged) =>
        HedgingDecision.AppliesTo(idempotent: true, keyed: false, UnsafeMethods.WhenKeyed, maxRetryAttempts).ShouldBe(hedged);

    [Fact]
    public async Task A_keyed_post_goes_out_with_the_same_key_on_each_request()
    {
        using var chain = HedgedChain.Create();
        chain.Server.Script(Replies.Hangs(), Replies.Status(201));

        var sending = chain.PostAsync();
        await chain.PassDelayAsync();
        using var response = await sending;

        chain.Server.Requests.Select(s => s.IdempotencyKey).ShouldBe(
            [response.GetHttpCall()!.IdempotencyKey, response.GetHttpCall()!.IdempotencyKey]);
        chain.Server.Requests.Select(s => s.Text).Distinct().ShouldHaveSingleItem().ShouldBe("{\"number\":1}");
    }

    [Fact]
    public async Task A_post_without_a_key_goes_out_once_and_untouched()
    {
        using var chain = HedgedChain.Create(o => o.Idempotency.Enabled = false);
        chain.Server.Script(Replies.Hangs());
        await AssertSentOnceAsync(chain, Chain.Post());
    }

    [Fact]
    public async Task A_call_without_retries_goes_out_once()
    {
        using var chain = HedgedChain.Create();
        chain.Server.Script(Replies.Hangs());
        await AssertSentOnceAsync(chain, Chain.Get().WithMaxRetryAttempts(0));
    }

    [Fact]
    public async Task A_synchronous_call_goes_out_once_however_slow_it_is()
    {
        using var chain = HedgedChain.Create();
        chain.Server.Script(Replies.After(TimeSpan.FromSeconds(20), Replies.Status(200)));

        using var response = await chain.GetAsync(async: false);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        chain.Server.Requests.ShouldHaveSingleItem();
    }

    [Theory, InlineData(false), InlineData(true)]
    public void Switched_off_the_stage_is_not_there(bool enabled)
    {
        using var chain = new Chain(settings: new Dictionary<string, string?> { ["Hedging:Enabled"] = enabled.ToString() });

        var handlers = Chain.BuildHandlers(chain.Services).AdditionalHandlers.Select(h => h.GetType()).ToList();

        handlers.Contains(typeof(HedgingHandler)).ShouldBe(enabled);
        if (enabled)
            handlers.IndexOf(typeof(HedgingHandler)).ShouldBe(handlers.IndexOf(typeof(RetryHandler)) + 1);
        handlers.IndexOf(typeof(CircuitBreakerHandler)).ShouldBe(handlers.Count - 1);
    }

    [Fact]
    public async Task A_reload_that_switches_it_off_holds_for_the_handlers_that_are_there()
    {
        using var chain = new Chain(settings: new Dictionary<string, string?> { ["Hedging:Enabled"] = "true" });
        chain.Clock.SkipsWaits = false;
        chain.Server.Script(Replies.Hangs());
        _ = chain.Client;
        chain.Reload(("Hedging:Enabled", "false"));
        await AssertSentOnceAsync(chain, Chain.Get());
    }

    private static async Task AssertSentOnceAsync(Chain chain, HttpRequestMessage request)
    {
        using var caller = new CancellationTokenSource();
        var sending = chain.SendAsync(true, request, caller.Token);
        await chain.SentAsync(1);
        chain.Clock.Advance(TimeSpan.FromSeconds(20));
        await caller.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
        chain.Server.Requests.ShouldHaveSingleItem();
        request.Dispose();
    }
}
