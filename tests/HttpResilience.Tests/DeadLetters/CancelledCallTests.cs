using HttpResilience.Tests.CircuitBreaker;
using HttpResilience.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Tests.DeadLetters;

/// <summary>
/// A call that its caller cancels, or that a token of the application's own cancels (its stop token, a timer of one of its handlers).
/// </summary>
public sealed class CancelledCallTests : IDisposable
{
    private readonly CancellationTokenSource _caller = new();
    private readonly CancellationTokenSource _other = new();
    private readonly TestStorage _store = new();
    private Chain? _chain;

    public static TheoryData<bool, bool> Cases => new() { { true, true }, { true, false }, { false, true }, { false, false } };

    [Theory, MemberData(nameof(Cases))]
    public async Task A_write_that_was_on_the_wire_is_kept_for_review(bool async, bool byCaller)
    {
        var chain = Open();
        chain.Server.Script(Cancels(byCaller ? _caller : _other));

        var thrown = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => chain.SendAsync(async, Chain.Post(), _caller.Token));

        var letter = _store.Letter;
        (letter.Status, letter.SuggestedAction, letter.FailureClass, letter.StopReason, letter.MayHaveBeenProcessed).ShouldBe((
            DeadLetterStatus.RequiresReview, "Check whether it was processed; then resolve it, or replay it", FailureClass.Cancelled,
            StopReason.Cancelled, true));
        thrown.GetHttpCall()!.DeadLetterId.ShouldBe(letter.Id);
        chain.Logs.Call.Level.ShouldBe(LogLevel.Warning);
        chain.Server.Requests.Count.ShouldBe(1);
    }

    [Theory, InlineData("PUT"), InlineData("DELETE"), InlineData("PATCH")]
    public async Task Other_writes_are_kept_too(string method)
    {
        var chain = Open();
        chain.Server.Script(Cancels(_caller));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => chain.SendAsync(true, new(new(method), "invoices/1"), _caller.Token));

        _store.Letter.Method.ShouldBe(method);
    }

    [Theory, InlineData("GET", null), InlineData("POST", DeadLetterOptions.CancelledCalls.Never)]
    public async Task A_read_has_no_letter_and_a_write_has_none_when_it_is_switched_off(
        string method, DeadLetterOptions.CancelledCalls? keep)
    {
        var chain = Open(o => o.DeadLetter.KeepCancelled = keep ?? o.DeadLetter.KeepCancelled);
        chain.Server.Script(Cancels(_caller));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => chain.SendAsync(true, new(new(method), "invoices/1"), _caller.Token));

        _store.Letters.ShouldBeEmpty();
        chain.Logs.Call.Level.ShouldBe(LogLevel.Information);
    }

    [Fact]
    public async Task A_write_that_was_not_sent_has_no_letter()
    {
        var chain = Open();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => chain.SendAsync(true, Chain.Post(), new CancellationToken(canceled: true)));

        _store.Letters.ShouldBeEmpty();
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_write_that_was_cancelled_in_an_inner_handler_has_no_letter(bool byCaller)
    {
        var chain = Open(client: b => b.AddHttpMessageHandler(() => new CancelsBefore(byCaller ? _caller : _other)));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => chain.SendAsync(true, Chain.Post(), _caller.Token));

        _store.Letters.ShouldBeEmpty();
        chain.Server.Requests.ShouldBeEmpty();
        chain.Logs.Call["StopReason"].ShouldBe("Cancelled");
    }

    /// <summary>An earlier attempt may have been processed, or was rejected before it was (RFC 6585 §4).</summary>
    [Theory, InlineData(500, true), InlineData(429, false)]
    public async Task A_write_that_waits_for_its_next_attempt_is_kept_when_the_last_may_have_been_processed(int status, bool kept)
    {
        var chain = Open();
        chain.Clock.SkipsWaits = false;
        chain.Server.Script(Replies.Status(status));

        var sending = chain.SendAsync(true, Chain.Post(), _caller.Token);
        await chain.Clock.UntilSomebodyWaitsAsync();
        await _caller.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
        _store.Letters.Count.ShouldBe(kept ? 1 : 0);
        chain.Logs.Call["StopReason"].ShouldBe("Cancelled");
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task The_letter_is_stored_although_the_caller_has_left(bool async)
    {
        var chain = Open();
        _store.Before(nameof(IDeadLetterStore.AddAsync), async () => await Task.Yield());
        chain.Server.Script(Cancels(_caller));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => chain.SendAsync(async, Chain.Post(), _caller.Token));

        _store.Letter.Body!.Value.Length.ShouldBe(12);
        chain.Logs.WithId(501).ShouldBeEmpty();
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Another_token_ends_the_call_after_one_attempt_with_its_own_exception(bool async)
    {
        var own = new OperationCanceledException("stopped", _other.Token);
        var chain = Open(o => (o.CircuitBreaker.UseClassic().FailureThreshold, o.CircuitBreaker.FailureRatio) = (1, null));
        chain.Server.Script(Replies.Throws(() => own));

        for (int i = 0; i < 5; i++)
            (await Assert.ThrowsAnyAsync<OperationCanceledException>(() => chain.SendAsync(async, Chain.Get()))).ShouldBeSameAs(own);

        chain.Server.Requests.Count.ShouldBe(5);
        chain.State.Hosts.All.Single().Circuit.State.ShouldBe(CircuitState.Closed);
        chain.Logs.Calls.ShouldAllBe(c => c.Level == LogLevel.Information && (string)c["StopReason"]! == "Cancelled");
    }

    /// <summary>A handler that limits its own time: <c>CreateLinkedTokenSource</c> and <c>CancelAfter</c>.</summary>
    [Fact]
    public async Task A_timer_of_an_inner_handler_ends_the_call_after_one_attempt()
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var chain = Open(client: b => b.AddHttpMessageHandler(() => new LimitsItsTime(begun.Task)));
        chain.Server.Script(Replies.Hangs(begun));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => chain.PostAsync());

        chain.Server.Requests.Count.ShouldBe(1);
        _store.Letter.Status.ShouldBe(DeadLetterStatus.RequiresReview);
    }

    [Fact]
    public async Task A_hedged_request_is_not_sent_again_after_another_token_has_ended_it()
    {
        var chain = Open(o => (o.Hedging.Enabled, o.Hedging.Delay) = (true, TimeSpan.FromMilliseconds(500)));
        chain.Clock.SkipsWaits = false;
        chain.Server.Script(Replies.Throws(() => new OperationCanceledException(_other.Token)));

        for (int i = 0; i < 10; i++)
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => chain.SendAsync(true, Chain.Get()));

        chain.Server.Requests.Count.ShouldBe(10);
    }

    /// <summary>Such as the <see cref="HttpClient.Timeout"/> of a client that an inner handler uses.</summary>
    [Fact]
    public async Task A_timeout_of_an_inner_handler_is_repeated_as_before()
    {
        var chain = Open();
        chain.Server.Script(Replies.Throws(() => new TaskCanceledException("x", new TimeoutException())), Replies.Status(200));

        (await chain.PostAsync()).Dispose();

        chain.Server.Requests.Count.ShouldBe(2);
    }

    public void Dispose()
    {
        _chain?.Dispose();
        _caller.Dispose();
        _other.Dispose();
    }

    private Chain Open(Action<HttpResilienceOptions>? options = null, Action<IHttpClientBuilder>? client = null) => _chain = new(
        o =>
        {
            o.DeadLetter.Enabled = true;
            options?.Invoke(o);
        },
        client, s => s.AddSingleton(_store.DeadLetters));

    private static Reply Cancels(CancellationTokenSource source) => (_, _, _) =>
    {
        source.Cancel();
        return Task.FromException<HttpResponseMessage>(new OperationCanceledException(source.Token));
    };

    private sealed class CancelsBefore(CancellationTokenSource source) : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            source.Cancel();
            return Task.FromCanceled<HttpResponseMessage>(source.Token);
        }
    }

    private sealed class LimitsItsTime(Task sent) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            using var own = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var sending = base.SendAsync(request, own.Token);
            await sent;
            await own.CancelAsync();
            return await sending;
        }
    }
}
