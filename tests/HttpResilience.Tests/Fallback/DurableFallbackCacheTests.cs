using HttpResilience.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;
using static HttpResilience.Tests.Fallback.FallbackChain;

namespace HttpResilience.Tests.Fallback;

/// <summary>With durable storage the kept responses outlive the process, and calls do not depend on it.</summary>
public sealed class DurableFallbackCacheTests : IDisposable
{
    private readonly TestStorage _store = new();
    private readonly List<Chain> _opened = [];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, InlineData(true), InlineData(false)]
    public async Task The_next_process_finds_what_this_one_has_seen(bool async)
    {
        var first = Open();
        await first.SeeThenLoseAsync(
            Chain.Get().WithTenant("a"), Good("seen", ("Age", "5"), ("Cache-Control", "max-age=60"), ("Set-Cookie", "secret=1")));
        first.Dispose();
        var kept = _store.Responses.ShouldHaveSingleItem();
        (kept.ReceivedAt, kept.InitialAge, kept.ExpiresAt).ShouldBe(
            (first.Clock.GetUtcNow(), TimeSpan.FromSeconds(5), first.Clock.GetUtcNow().AddDays(1).AddSeconds(55)));
        kept.Response.Headers.Select(h => h.Key).ShouldNotContain("Set-Cookie");

        var second = Open();
        second.Clock.Advance(TimeSpan.FromMinutes(1));
        second.Server.Script(Replies.Status(503));
        (await second.StaleAsync(Chain.Get().WithTenant("b"))).ShouldBeNull();
        using var response = await second.SendAsync(async, Chain.Get().WithTenant("a"));

        (response.GetHttpCall()!.IsStale, await response.Content.ReadAsStringAsync(Stop), response.Headers.Age).ShouldBe(
            (true, "seen", TimeSpan.FromSeconds(65)));
        // In memory from now on.
        _store.Fails = new HttpResilienceStorageException("down");
        (await second.StaleAsync(Chain.Get().WithTenant("a"))).ShouldBe("seen");
    }

    [Fact]
    public async Task A_response_too_old_for_the_current_policy_is_not_used()
    {
        var first = Open();
        await first.SeeThenLoseAsync();
        first.Dispose();
        var second = Open(o => o.Fallback.StaleIfError = TimeSpan.FromSeconds(59));
        second.Clock.Advance(TimeSpan.FromMinutes(1));
        second.Server.Script(Replies.Status(503));

        (await second.StaleAsync()).ShouldBeNull();
    }

    [Fact]
    public async Task A_clock_that_was_set_back_makes_nothing_younger_than_it_was()
    {
        var first = Open();
        first.Clock.Advance(TimeSpan.FromHours(2));
        await first.SeeThenLoseAsync(good: Good("seen", ("Age", "5")));
        first.Dispose();
        var second = Open();
        second.Server.Script(Replies.Status(503));

        using var response = await second.GetAsync();

        response.Headers.Age.ShouldBe(TimeSpan.FromSeconds(5));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task The_answer_comes_at_the_deadline_at_the_latest(bool hangs)
    {
        var first = Open();
        await first.SeeThenLoseAsync();
        first.Dispose();
        var chain = Open(o => (o.TotalRequestTimeout.Timeout, o.AttemptTimeout.Timeout) = (TimeSpan.FromSeconds(10), null));
        chain.Server.Script(Replies.Stalls());
        _store.Hangs = hangs;
        _store.Before(nameof(IFallbackStore.FindAsync), () => chain.Clock.Advance(TimeSpan.FromMilliseconds(hangs ? 250 : 200)));

        if (hangs)
            (await Record.ExceptionAsync(() => chain.GetAsync()))
                .ShouldBeOfType<TaskCanceledException>().InnerException.ShouldBeOfType<TimeoutException>();
        else
            (await chain.StaleAsync()).ShouldBe("good");

        chain.Clock.Elapsed.ShouldBe(TimeSpan.FromSeconds(10) - TimeSpan.FromMilliseconds(hangs ? 0 : 50));
    }

    [Fact]
    public async Task Without_a_store_an_attempt_has_all_the_time_there_is()
    {
        using var chain = FallbackChain.Open(
            o => (o.TotalRequestTimeout.Timeout, o.AttemptTimeout.Timeout) = (TimeSpan.FromSeconds(10), null));
        chain.Server.Script(Replies.Stalls());

        await Should.ThrowAsync<TaskCanceledException>(() => chain.GetAsync());

        chain.Clock.Elapsed.ShouldBe(TimeSpan.FromSeconds(10));
    }

    [Theory, InlineData(true, false), InlineData(false, false), InlineData(true, true), InlineData(false, true)]
    public async Task A_store_that_fails_or_hangs_changes_nothing_for_any_call(bool async, bool hangs)
    {
        var chain = Open();
        (_store.Fails, _store.Hangs) = (new HttpResilienceStorageException("disk full"), hangs);
        _store.Before(nameof(IFallbackStore.FindAsync), () => chain.Clock.Advance(TimeSpan.FromMilliseconds(hangs ? 250 : 0)));
        await chain.SeeThenLoseAsync(failure: Replies.Status(503, "why"));

        (await chain.StaleAsync(async: async)).ShouldBe("good");
        using var unseen = await chain.SendAsync(async, Chain.Get("unseen"));

        ((int)unseen.StatusCode, await unseen.Content.ReadAsStringAsync(Stop)).ShouldBe((503, "why"));
        chain.Clock.Elapsed.ShouldBe(TimeSpan.FromMilliseconds(hangs ? 250 : 0));
        chain.Logs.WithId(531).ShouldHaveSingleItem().Level.ShouldBe(Microsoft.Extensions.Logging.LogLevel.Debug);
        if (hangs)
            return;
        chain.Dispose();
        chain.Logs.WithId(532).ShouldHaveSingleItem().Level.ShouldBe(Microsoft.Extensions.Logging.LogLevel.Debug);
    }

    [Fact]
    public async Task A_call_that_is_cancelled_while_the_store_is_read_ends()
    {
        var chain = Open();
        chain.Server.Script(Replies.Status(503));
        using var caller = new CancellationTokenSource();
        _store.Hangs = true;
        _store.Before(nameof(IFallbackStore.FindAsync), caller.Cancel);

        await Should.ThrowAsync<OperationCanceledException>(() => chain.SendAsync(true, Chain.Get(), caller.Token));
    }

    [Fact]
    public async Task A_change_or_an_end_of_access_reaches_the_store_too()
    {
        var chain = Open();
        await chain.SeeThenLoseAsync(Chain.Get("a"));
        await chain.SeeThenLoseAsync(Chain.Get("b"), failure: Replies.Status(403));
        await chain.SeeThenLoseAsync(Chain.Get("c"));
        chain.Server.Script(Replies.Status(204), Replies.Status(403));
        (await chain.SendAsync(true, new(HttpMethod.Put, "a"))).Dispose();
        (await chain.SendAsync(true, Chain.Get("b"))).Dispose();
        chain.Dispose();

        _store.Responses.ShouldHaveSingleItem().Resource.ShouldBe(RequestFields.ResourceOf(new("https://api.test/c")));
    }

    [Fact]
    public async Task A_stored_response_from_before_a_change_is_not_used()
    {
        var first = Open();
        await first.SeeThenLoseAsync();
        first.Dispose();
        var chain = Open();
        chain.Clock.Advance(TimeSpan.FromSeconds(1));
        _store.Fails = new HttpResilienceStorageException("down");
        chain.Server.Script(Replies.Status(204), Replies.Status(503));
        (await chain.SendAsync(true, new(HttpMethod.Put, "invoices/1"))).Dispose();
        await Eventually(() => chain.Logs.WithId(532).Count == 1);
        _store.Fails = null;

        (await chain.StaleAsync()).ShouldBeNull();
    }

    [Theory, InlineData(59, 1), InlineData(60, 2)]
    public async Task The_same_again_and_again_is_not_written_again_and_again(int seconds, int saves)
    {
        var chain = Open();
        await chain.SeeThenLoseAsync();
        await Eventually(() => _store.Saves == 1);
        chain.Clock.Advance(TimeSpan.FromSeconds(seconds - 1));
        await chain.SeeThenLoseAsync();
        chain.Clock.Advance(TimeSpan.FromSeconds(1));
        await chain.SeeThenLoseAsync();
        chain.Dispose();

        _store.Saves.ShouldBe(saves);
    }

    [Fact]
    public async Task A_different_response_is_written_at_once()
    {
        var chain = Open();
        await chain.SeeThenLoseAsync(good: Good("one"));
        await chain.SeeThenLoseAsync(good: Good("two"));
        chain.Dispose();

        System.Text.Encoding.UTF8.GetString(_store.Responses.ShouldHaveSingleItem().Response.Body.Span).ShouldBe("two");
    }

    public void Dispose() => _opened.ForEach(c => c.Dispose());

    private static async Task Eventually(Func<bool> condition)
    {
        while (!condition())
            await Task.Yield();
    }

    private Chain Open(Action<HttpResilienceOptions>? options = null)
    {
        var chain = FallbackChain.Open(options, services: s => s.AddSingleton<IFallbackStore>(_store.Fallbacks));
        _opened.Add(chain);
        return chain;
    }
}
