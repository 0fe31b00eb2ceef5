using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Tests.Calls;

/// <summary><see cref="CallObserver.RetryingAsync"/>: an observer is told of a retry before its wait.</summary>
public sealed class RetryObserverTests
{
    [Theory, InlineData(true), InlineData(false)]
    public async Task An_observer_is_told_of_each_retry_before_the_wait(bool async)
    {
        var observer = new Observer();
        using var chain = Open(observer);
        observer.Retrying = async (call, response, exception, delay, token) =>
        {
            await Task.Yield();
            string? body = response is null ? null : await response.Content.ReadAsStringAsync(token);
            observer.Told.Add((call.Attempts.Count, body, exception?.GetType(), delay.TotalSeconds, chain.Clock.Elapsed.TotalSeconds));
        };
        chain.Server.Script(Replies.Status(503, "busy"), Replies.Reset(), Replies.Status(200));

        (await chain.GetAsync(async)).StatusCode.ShouldBe(HttpStatusCode.OK);

        observer.Told.ShouldBe([(1, "busy", null, 1, 0), (2, null, typeof(HttpRequestException), 2, 1)]);
    }

    [Theory]
    [InlineData(200, 3)]
    [InlineData(404, 3)]
    [InlineData(503, 0)]
    public async Task It_is_not_told_of_an_attempt_that_ends_the_call(int status, int retries)
    {
        var observer = new Observer();
        using var chain = Open(observer, o => o.Retry.MaxRetryAttempts = retries);
        chain.Server.Script(Replies.Status(status));

        (await chain.GetAsync()).Dispose();

        observer.Count.ShouldBe(0);
    }

    [Fact]
    public async Task The_wait_begins_with_the_failure_not_with_the_end_of_the_observer()
    {
        var observer = new Observer();
        using var chain = Open(observer);
        observer.Retrying = (_, _, _, _, _) =>
        {
            chain.Clock.Advance(TimeSpan.FromSeconds(0.4));
            return default;
        };
        chain.Server.Script(Replies.Status(503), Replies.Status(200));

        (await chain.GetAsync()).Dispose();

        chain.Clock.Elapsed.ShouldBe(TimeSpan.FromSeconds(1));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task An_observer_that_fails_affects_neither_the_call_nor_other_observers(bool async)
    {
        var (failing, other) = (new Observer { Retrying = (_, _, _, _, _) => throw new InvalidOperationException() }, new Observer());
        using var chain = Open(failing, services: s => s.AddSingleton<CallObserver>(other));
        chain.Server.Script(Replies.Status(503), Replies.Status(200));

        (await chain.GetAsync(async)).StatusCode.ShouldBe(HttpStatusCode.OK);

        other.Count.ShouldBe(1);
        chain.Logs.WithId(413).ShouldHaveSingleItem().Level.ShouldBe(LogLevel.Error);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_call_that_is_cancelled_meanwhile_ends_as_cancelled(bool async)
    {
        using var cancelling = new CancellationTokenSource();
        var observer = new Observer();
        using var chain = Open(observer);
        observer.Retrying = async (_, _, _, _, token) =>
        {
            await cancelling.CancelAsync();
            token.ThrowIfCancellationRequested();
        };
        chain.Server.Script(Replies.Status(503), Replies.Status(200));

        var thrown = await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => chain.SendAsync(async, Chain.Get(), cancelling.Token));

        thrown.GetHttpCall()!.StopReason.ShouldBe(StopReason.Cancelled);
        chain.Logs.WithId(413).ShouldBeEmpty();
        chain.Server.Requests.Count.ShouldBe(1);
    }

    private static Chain Open(
        CallObserver observer, Action<HttpResilienceOptions>? options = null, Action<IServiceCollection>? services = null) =>
        new(o =>
        {
            o.Retry.UseJitter = false;
            options?.Invoke(o);
        }, services: s =>
        {
            s.AddSingleton(observer);
            services?.Invoke(s);
        });

    private sealed class Observer : CallObserver
    {
        internal List<(int Attempts, string? Body, Type? Exception, double Delay, double At)> Told { get; } = [];

        internal int Count { get; private set; }

        internal Func<HttpCall, HttpResponseMessage?, Exception?, TimeSpan, CancellationToken, ValueTask>? Retrying { get; set; }

        protected internal override ValueTask RetryingAsync(
            ObservedClient client, HttpCall httpCall, HttpResponseMessage? response, Exception? exception, TimeSpan delay,
            CancellationToken cancellationToken)
        {
            client.Name.ShouldBe(Chain.Name);
            Count++;
            return Retrying?.Invoke(httpCall, response, exception, delay, cancellationToken) ?? default;
        }
    }
}
