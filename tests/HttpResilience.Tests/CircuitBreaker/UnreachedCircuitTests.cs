using System.Net;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.CircuitBreaker;

/// <summary>A handler of the application between retry and circuit that answers itself, or fails: nothing is known of the host.</summary>
public sealed class UnreachedCircuitTests
{
    [Theory, InlineData(true, 200), InlineData(false, 200), InlineData(true, 503), InlineData(true, 0), InlineData(false, 0)]
    public async Task An_answer_from_before_the_circuit_is_no_probe_and_frees_its_place(bool async, int status)
    {
        bool isBefore = true;
        using var chain = Open(() => isBefore ? status : null);
        var host = chain.Trip();
        chain.Clock.Advance(TimeSpan.FromSeconds(1));
        await Record.ExceptionAsync(async () => (await chain.GetAsync(async)).Dispose());
        (host.Circuit.State, chain.Server.RequestCount).ShouldBe((CircuitState.HalfOpen, 0));

        isBefore = false;
        (await chain.GetAsync(async)).Dispose();

        (host.Circuit.State, chain.Server.RequestCount).ShouldBe((CircuitState.Closed, 1));
    }

    [Theory, InlineData(503), InlineData(0)]
    public async Task Failures_from_before_the_circuit_do_not_open_it(int status)
    {
        using var chain = Open(() => status);
        for (int i = 0; i < 20; i++)
        {
            await Record.ExceptionAsync(async () => (await chain.GetAsync()).Dispose());
            chain.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        chain.State.Hosts.All.ShouldHaveSingleItem().Circuit.State.ShouldBe(CircuitState.Closed);
    }

    [Fact]
    public async Task A_hedged_answer_from_before_the_circuit_is_no_probe()
    {
        using var chain = Open(() => 200, o => o.Hedging.Enabled = true);
        var host = chain.Trip();
        chain.Clock.Advance(TimeSpan.FromSeconds(1));

        (await chain.GetAsync()).Dispose();

        host.Circuit.State.ShouldBe(CircuitState.HalfOpen);
    }

    /// <param name="answer">The status of the answer; 0: the handler throws, null: it passes the request on.</param>
    private static Chain Open(Func<int?> answer, Action<HttpResilienceOptions>? options = null) => new(
        o =>
        {
            o.Retry.MaxRetryAttempts = 0;
            options?.Invoke(o);
        },
        client => client.ConfigureAdditionalHttpMessageHandlers((handlers, _) =>
            handlers.Insert(handlers.IndexOf(handlers.Single(h => h is CircuitBreakerHandler)), new Answering(answer))));

    private sealed class Answering(Func<int?> answer) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Answer() ?? await base.SendAsync(request, cancellationToken);

        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Answer() ?? base.Send(request, cancellationToken);

        private HttpResponseMessage? Answer() => answer() switch
        {
            null => null,
            0 => throw new HttpRequestException("a gateway of the application"),
            { } status => new((HttpStatusCode)status),
        };
    }
}
