using HttpResilience.Tests.CircuitBreaker;
using HttpResilience.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Tests.Retry;

/// <summary>
/// Past its deadline a call has timed out, also when the token of <see cref="HttpClient.Timeout"/>, or of the caller, was cancelled before
/// the chain's own timer fired: after a pause of the process, or on a starved thread pool.
/// </summary>
public sealed class EndByClockTests : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(100);

    private readonly CancellationTokenSource _token = new();
    private readonly LateTimers _clock = new();
    private readonly TestStorage _store = new();
    private readonly List<Chain> _chains = [];

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_request_that_was_not_answered_timed_out(bool async)
    {
        var chain = Open();
        chain.Server.Script(Cancelled(Deadline));

        await ShouldTimeOutAsync(chain, async);

        chain.State.Hosts.All.Single().Circuit.State.ShouldBe(CircuitState.Open);
        var letter = _store.Letter;
        (letter.FailureClass, letter.StopReason, letter.Status).ShouldBe(
            (FailureClass.Transient, StopReason.DeadlinePassed, DeadLetterStatus.Pending));
    }

    /// <summary>A handler of the application may answer a cancellation with an exception of its own.</summary>
    [Fact]
    public async Task An_exception_of_another_type_is_a_timeout_too()
    {
        var chain = Open();
        chain.Server.Script(Cancelled(Deadline, _ => new IOException("closed")));

        await ShouldTimeOutAsync(chain);
    }

    [Fact]
    public async Task A_token_of_another_handler_that_was_cancelled_after_the_deadline_is_a_timeout_too()
    {
        var chain = Open();
        chain.Server.Script((_, _, _) =>
        {
            _clock.Pass(Deadline);
            return Task.FromException<HttpResponseMessage>(new OperationCanceledException(new CancellationToken(canceled: true)));
        });

        await ShouldTimeOutAsync(chain);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_wait_for_the_next_attempt_timed_out(bool async)
    {
        var chain = Open();
        chain.Server.Script(Replies.Status(503));

        var sending = ShouldTimeOutAsync(chain, async);
        await Eventually(() => chain.Logs.WithId(201).Count == 1);
        _clock.Pass(Deadline);
        await _token.CancelAsync();

        await sending;
        _store.Letter.StopReason.ShouldBe(StopReason.DeadlinePassed);
    }

    [Fact]
    public async Task A_wait_for_the_end_of_a_pause_timed_out()
    {
        var chain = Open();
        chain.Server.Script(Replies.Status(429, ("Retry-After", "120")));
        (await chain.SendAsync(true, Chain.Get())).Dispose();
        _clock.Pass(TimeSpan.FromSeconds(60));

        var sending = ShouldTimeOutAsync(chain);
        _clock.Pass(Deadline);
        await _token.CancelAsync();

        await sending;
        _store.Letter.MayHaveBeenProcessed.ShouldBeFalse();
    }

    [Fact]
    public async Task A_place_before_a_limit_was_not_given_in_time_and_nothing_was_sent()
    {
        var chain = Open(o => o.RateLimiter = new() { DefaultRateLimiterOptions = new() { PermitLimit = 1, QueueLimit = 1 } });
        var answer = new TaskCompletionSource<HttpResponseMessage>();
        chain.Server.Script((_, _, _) => answer.Task);
        var first = chain.SendAsync(true, Chain.Get());

        var second = Assert.ThrowsAnyAsync<Exception>(() => chain.SendAsync(true, Chain.Post(), _token.Token));
        _clock.Pass(Deadline);
        await _token.CancelAsync();

        await second;
        chain.Logs.Call["StopReason"].ShouldBe(nameof(StopReason.RateLimited));
        answer.SetResult(new(System.Net.HttpStatusCode.OK));
        (await first).Dispose();
    }

    [Theory, InlineData(0), InlineData(99.999)]
    public async Task Before_the_deadline_it_is_a_cancellation_by_the_caller(double seconds)
    {
        var chain = Open();
        chain.Server.Script(Cancelled(TimeSpan.FromSeconds(seconds)));

        var thrown = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => chain.SendAsync(true, Chain.Post(), _token.Token));

        thrown.CancellationToken.ShouldBe(_token.Token);
        var call = thrown.GetHttpCall()!;
        (call.StopReason, call.FailureClass).ShouldBe((StopReason.Cancelled, FailureClass.Cancelled));
        chain.State.Hosts.All.Single().Circuit.State.ShouldBe(CircuitState.Closed);
    }

    public void Dispose()
    {
        _chains.ForEach(c => c.Dispose());
        _token.Dispose();
    }

    private Chain Open(Action<HttpResilienceOptions>? options = null)
    {
        var chain = new Chain(
            o =>
            {
                (o.DeadLetter.Enabled, o.AttemptTimeout.Timeout) = (true, null);
                (o.CircuitBreaker.UseClassic().FailureThreshold, o.CircuitBreaker.FailureRatio) = (1, null);
                o.Retry.Delay = TimeSpan.FromSeconds(30);
                options?.Invoke(o);
            },
            services: s => s.AddSingleton<TimeProvider>(_clock).AddSingleton(_store.DeadLetters));
        _chains.Add(chain);
        return chain;
    }

    private Reply Cancelled(TimeSpan after, Func<CancellationToken, Exception>? exception = null) => (_, _, token) =>
    {
        _clock.Pass(after);
        _token.Cancel();
        return Task.FromException<HttpResponseMessage>(exception?.Invoke(token) ?? new OperationCanceledException(token));
    };

    // The caller's own token stands for that of HttpClient, which would have to wait for real time.
    private async Task ShouldTimeOutAsync(Chain chain, bool async = true)
    {
        // HttpClient gives the exception the token of its caller.
        var thrown = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => chain.SendAsync(async, Chain.Post(), _token.Token));

        var call = thrown.GetHttpCall()!;
        (call.StopReason, call.FailureClass).ShouldBe((StopReason.DeadlinePassed, FailureClass.Transient));
        chain.Logs.Calls[^1].Level.ShouldBe(LogLevel.Warning);
        chain.Logs.Calls[^1]["ErrorType"].ShouldBe(nameof(TaskCanceledException));
        chain.Logs.Calls[^1]["ErrorMessage"]!.ToString()!.ShouldContain("TotalRequestTimeout (00:01:40)");
    }

    private static async Task Eventually(Func<bool> isSo)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!isSo())
        {
            timeout.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
