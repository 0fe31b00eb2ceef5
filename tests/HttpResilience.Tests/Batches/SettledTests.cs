using HttpResilience.Tests.Fallback;

namespace HttpResilience.Tests.Batches;

/// <summary>Several calls at once, each of which can fail on its own.</summary>
public sealed class SettledTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_call_has_its_own_value_error_or_stale_mark()
    {
        using var chain = FallbackChain.Open();
        await chain.SeeThenLoseAsync(Chain.Get("customer"), FallbackChain.Good("old"));
        chain.Server.Script(Replies.Status(503));

        var (good, stale, failed, thrown) = await Settled.WhenAll(
            ct => Task.FromResult(7), ct => chain.Client.GetStringAsync("customer", ct), ct => chain.Client.GetStringAsync("orders", ct),
            Task<string> (ct) => throw new InvalidDataException("bug"), Stop);

        (good.IsSuccess, good.Value, good.IsStale, good.Error, good.Call).ShouldBe((true, 7, false, null, null));
        (stale.IsSuccess, stale.Value, stale.IsStale, stale.Error).ShouldBe((true, "old", true, null));
        stale.Call.ShouldNotBeNull().IsStale.ShouldBeTrue();
        (failed.IsSuccess, failed.IsStale, failed.ValueOr("temporarily unavailable")).ShouldBe((false, false, "temporarily unavailable"));
        failed.Error.ShouldBeOfType<HttpRequestException>();
        failed.Call.ShouldNotBeNull().FailureClass.ShouldBe(FailureClass.Transient);
        Should.Throw<HttpRequestException>(() => failed.Value).ShouldBeSameAs(failed.Error);
        (thrown.Error!.Message, thrown.Call).ShouldBe(("bug", null));
        (good.Match(v => v + 1, _ => 0), thrown.Match(v => v, e => e.Message), stale.ValueOr("x")).ShouldBe((8, "bug", "old"));
    }

    [Fact]
    public async Task An_exception_of_the_chain_has_its_call()
    {
        using var chain = new Chain(o => o.Retry.MaxRetryAttempts = 0);
        chain.Server.Script(Replies.ConnectionRefused());

        var (failed, good) = await Settled.WhenAll(ct => chain.Client.GetStringAsync("a", ct), ct => Task.FromResult(1), Stop);

        failed.Call.ShouldBeSameAs(failed.Error!.GetHttpCall());
        good.Call.ShouldBeNull();
    }

    [Fact]
    public async Task A_call_is_not_stale_because_another_one_is()
    {
        using var chain = FallbackChain.Open();
        await chain.SeeThenLoseAsync(Chain.Get("customer"));
        chain.Server.Replace(Outcome.Decide(r => r.Uri.AbsolutePath == "/orders" ? Outcome.Status(200, "fresh") : Outcome.Status(503)));

        var (fresh, stale) = await Settled.WhenAll(
            ct => chain.Client.GetStringAsync("orders", ct), ct => chain.Client.GetStringAsync("customer", ct), Stop);

        (fresh.IsStale, fresh.Call, stale.IsStale).ShouldBe((false, null, true));
        (await chain.Client.GetStringAsync("customer", Stop)).ShouldBe("good");
    }

    [Fact]
    public async Task The_calls_run_concurrently()
    {
        var first = new TaskCompletionSource<int>();

        var (one, two) = await Settled.WhenAll(ct => first.Task, ct =>
        {
            first.SetResult(1);
            return Task.FromResult(2);
        }, Stop);

        (one.Value, two.Value).ShouldBe((1, 2));
    }

    [Fact]
    public async Task A_cancellation_is_thrown_when_all_calls_have_ended()
    {
        using var caller = new CancellationTokenSource();
        var last = new TaskCompletionSource<int>();

        var all = Settled.WhenAll(async ct =>
        {
            await Task.Delay(Timeout.Infinite, ct);
            return 1;
        }, ct => last.Task, ct => Task.FromException<int>(new IOException("before")), caller.Token);
        await caller.CancelAsync();

        all.IsCompleted.ShouldBeFalse();
        last.SetResult(2);
        (await Should.ThrowAsync<OperationCanceledException>(() => all)).CancellationToken.ShouldBe(caller.Token);
    }

    [Fact]
    public async Task A_timeout_is_a_failure_like_any_other()
    {
        var (late, good) = await Settled.WhenAll(
            ct => Task.FromException<int>(new TaskCanceledException("late", new TimeoutException())), ct => Task.FromResult(1), Stop);

        (late.Error!.Message, good.Value).ShouldBe(("late", 1));
    }

    [Fact]
    public async Task Calls_completed_before_the_cancellation_count()
    {
        using var caller = new CancellationTokenSource();

        var (failed, good) = await Settled.WhenAll(ct => Task.FromException<int>(new IOException("before")), ct =>
        {
            caller.Cancel();
            return Task.FromResult(1);
        }, caller.Token);

        (failed.Error!.Message, good.Value).ShouldBe(("before", 1));
    }

    [Fact]
    public async Task A_list_of_calls_keeps_its_order()
    {
        var all = await Settled.WhenAll(Enumerable.Range(0, 100).Select(i => (Func<CancellationToken, Task<int>>)(async ct =>
        {
            await Task.Yield();
            return i % 10 == 3 ? throw new IOException($"{i}") : i;
        })), Stop);

        all.Select(s => s.Match(v => v, e => -int.Parse(e.Message, System.Globalization.CultureInfo.InvariantCulture)))
            .ShouldBe(Enumerable.Range(0, 100).Select(i => i % 10 == 3 ? -i : i));
        (await Settled.WhenAll<int>([], Stop)).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_results_of_up_to_four_types_keep_the_order_of_the_calls()
    {
        static Func<CancellationToken, Task<T>> Of<T>(T value) => _ => Task.FromResult(value);
        var (a, b, c, d) = await Settled.WhenAll(Of(1), Of("2"), Of(3m), Of('4'), Stop);
        (a.Value, b.Value, c.Value, d.Value).ShouldBe((1, "2", 3m, '4'));
        (await Settled.WhenAll(Of(1), Of(2), Of("3"), Stop)).Item3.Value.ShouldBe("3");
    }

    [Fact]
    public async Task The_outer_scope_applies_to_the_calls_and_no_scope_remains_afterwards()
    {
        using var chain = new Chain();
        using (HttpCallScope.Begin(new() { Tenant = "comp1" }))
            await Settled.WhenAll(ct => chain.Client.GetStringAsync("a", ct), ct => chain.Client.GetStringAsync("b", ct), Stop);

        chain.Logs.Calls.ShouldAllBe(c => (string?)c["Tenant"] == "comp1");
        HttpCallScope.Current.ShouldBeNull();
    }

    [Fact]
    public async Task A_missing_call_is_rejected()
    {
        await Should.ThrowAsync<ArgumentNullException>(
            () => Settled.WhenAll(ct => Task.FromResult(1), (Func<CancellationToken, Task<int>>)null!, Stop));
        await Should.ThrowAsync<ArgumentNullException>(() => Settled.WhenAll<int>(null!, Stop));
    }
}
