using HttpResilience.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Tests.Calls;

/// <summary>An observer of the application's own.</summary>
public sealed class CallObserverTests
{
    [Theory, InlineData(true), InlineData(false)]
    public async Task An_observer_gets_each_call_that_ended_with_its_host_and_outcome(bool async)
    {
        var observer = new Recorder();
        using var chain = Open(observer, o => (o.Retry.MaxRetryAttempts, o.CircuitBreaker.BreakDuration) = (1, null));
        chain.Server.Script(Replies.Status(503), Replies.Status(200), Replies.Status(500));

        (await chain.GetAsync(async)).Dispose();
        (await chain.GetAsync(async)).Dispose();

        observer.Ended.ShouldBe(
        [
            ("api", "https://api.test", OutcomeKind.Success, 2, 200),
            ("api", "https://api.test", OutcomeKind.Failure, 2, 500),
        ]);
        observer.Configured.ShouldBe(["api"]);
        chain.Reload(("Retry:MaxRetryAttempts", "0"));
        observer.Configured.ShouldBe(["api", "api"]);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_call_that_an_observer_refuses_sends_nothing_and_ends_as_paused(bool async)
    {
        var observer = new Recorder { Refusal = new IntegrationPausedException("api", DateTimeOffset.UnixEpoch, null) };
        using var chain = Open(observer);

        var thrown = await Should.ThrowAsync<IntegrationPausedException>(() => chain.PostAsync(async));

        thrown.ShouldBeSameAs(observer.Refusal);
        thrown.GetHttpCall()!.StopReason.ShouldBe(StopReason.IntegrationPaused);
        chain.Server.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task An_observer_gets_changes_of_circuits_with_the_new_state()
    {
        var observer = new Recorder();
        using var chain = Open(observer);
        var circuits = chain.Services.GetRequiredService<ICircuits>();
        (await chain.GetAsync()).Dispose();

        circuits.Isolate("api", new("https://api.test"), "comp1");
        circuits.Close("api", new("https://api.test"), "comp1");

        observer.Circuits.ShouldBe([("https://api.test", "comp1", CircuitState.Isolated),
            ("https://api.test", "comp1", CircuitState.Closed)]);
    }

    [Fact]
    public async Task An_observer_gets_each_letter_that_could_not_be_stored()
    {
        var observer = new Recorder();
        var store = new TestStorage { Fails = new HttpResilienceStorageException("disk full") };
        using var chain = Open(observer, o => (o.DeadLetter.Enabled, o.Retry.MaxRetryAttempts) = (true, 0),
            s => s.AddSingleton<IDeadLetterStore>(store.DeadLetters));
        chain.Server.Script(Replies.Status(500));

        (await chain.PostAsync()).Dispose();

        observer.Lost.ShouldBe([("api", FailureClass.ServerError)]);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task An_observer_that_fails_affects_neither_calls_nor_other_observers(bool async)
    {
        var observer = new Recorder();
        using var chain = Open(new Failing(), services: s => s.AddSingleton<CallObserver>(observer));

        (await chain.GetAsync(async)).StatusCode.ShouldBe(System.Net.HttpStatusCode.OK);

        observer.Ended.Count.ShouldBe(1);
        var errors = chain.Logs.WithId(413);
        errors.ShouldAllBe(e => e.Level == LogLevel.Error && (string)e["Observer"]! == nameof(Failing)
            && e.Category == "HttpResilience.CallObserver");
        // When the client is created, when the call starts and when it has ended.
        errors.Count.ShouldBe(3);
    }

    [Fact]
    public async Task Each_observer_has_state_of_its_own_that_lives_with_the_host()
    {
        using var chain = Open(new Counter<First>(),
            services: s => s.AddSingleton<CallObserver>(new Counter<Second>()).AddSingleton<CallObserver>(new Counter<Third>()));

        for (int i = 0; i < 3; i++)
            (await chain.GetAsync()).Dispose();

        var host = chain.State.ObservedHosts.ShouldHaveSingleItem();
        (host.Get<Count<First>>()!.Value, host.Get<Count<Second>>()!.Value, host.Get<Count<Third>>()!.Value, host.Get<string>())
            .ShouldBe((3, 3, 3, null));
    }

    [Fact]
    public void State_that_many_threads_add_at_once_is_one_for_each_type()
    {
        using var chain = new Chain();
        var client = chain.State;

        var states = Enumerable.Range(0, 64).AsParallel().WithDegreeOfParallelism(8).Select(i => i % 2 == 0
            ? (object)client.GetOrAdd(() => new Count<First>())
            : client.GetOrAdd(() => new Count<Second>())).ToList();

        states.Distinct().Count().ShouldBe(2);
    }

    private static Chain Open(CallObserver observer, Action<HttpResilienceOptions>? options = null,
        Action<IServiceCollection>? services = null) =>
        new(options, services: s =>
        {
            s.AddSingleton(observer);
            services?.Invoke(s);
        });

    private sealed class First;

    private sealed class Second;

    private sealed class Third;

    private sealed class Count<T>
    {
        internal int Value { get; set; }
    }

    private sealed class Counter<T> : CallObserver
    {
        protected internal override void CallEnded(in EndedCall ended) => ended.Host!.GetOrAdd(() => new Count<T>()).Value++;
    }

    private sealed class Failing : CallObserver
    {
        protected internal override void ClientConfigured(ObservedClient client) => throw new InvalidOperationException();

        protected internal override IntegrationPausedException? CallStarting(ObservedClient client, HttpCall httpCall) =>
            throw new InvalidOperationException();

        protected internal override void CallEnded(in EndedCall ended) => throw new InvalidOperationException();
    }

    private sealed class Recorder : CallObserver
    {
        internal List<string> Configured { get; } = [];

        internal List<(string Client, string? Host, OutcomeKind Kind, int Attempts, int? Status)> Ended { get; } = [];

        internal List<(string Host, string? Tenant, CircuitState State)> Circuits { get; } = [];

        internal List<(string Client, FailureClass FailureClass)> Lost { get; } = [];

        internal IntegrationPausedException? Refusal { get; set; }

        protected internal override void ClientConfigured(ObservedClient client) => Configured.Add(client.Name);

        protected internal override IntegrationPausedException? CallStarting(ObservedClient client, HttpCall httpCall) => Refusal;

        protected internal override void CallEnded(in EndedCall ended) =>
            Ended.Add((ended.Client.Name, ended.Host?.Authority, ended.Outcome.Host, ended.Outcome.AttemptCount, ended.Outcome.StatusCode));

        protected internal override void CircuitChanged(ObservedClient client, ObservedHost host, CircuitState state) =>
            Circuits.Add((host.Authority, host.Tenant, state));

        protected internal override void LetterLost(ObservedClient client, HttpCall httpCall) =>
            Lost.Add((client.Name, httpCall.FailureClass));
    }
}
