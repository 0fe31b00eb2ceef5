using HttpResilience.Tests.CircuitBreaker;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.Telemetry;

/// <summary>What is measured of hosts: their circuits and the pauses they ask for.</summary>
public sealed class CircuitMetricsTests
{
    private const string Host = "http.resilience.client=api, server.address=api.test, server.port=443";
    private static readonly string[] Way = ["open", "half_open", "closed", "isolated"];

    [Fact]
    public async Task The_way_of_a_circuit_is_counted_and_its_state_observed()
    {
        using var chain = new Chain(o => (o.CircuitBreaker.UseClassic().FailureThreshold, o.Retry.MaxRetryAttempts) = (1, 0));
        using var metrics = Listen(chain);
        metrics.Observe("circuit.state").ShouldBeEmpty();

        chain.Server.Script(Replies.Status(503), Replies.With(() => HalfOpen(metrics)), Replies.Status(200));
        (await chain.GetAsync()).Dispose();
        State(metrics).ShouldBe(1);
        chain.Clock.Advance(TimeSpan.FromMinutes(1));
        (await chain.GetAsync()).Dispose();
        State(metrics).ShouldBe(0);
        chain.Services.GetRequiredService<ICircuits>().Isolate(Chain.Name, new("https://api.test"));
        State(metrics).ShouldBe(3);

        metrics.Of("circuit.transitions").Select(t => (t.Value, t.Text)).ShouldBe(
            Way.Select(s => (1.0, $"{Host}, http.resilience.circuit.state={s}, http.resilience.circuit.scope=authority")));
    }

    [Fact]
    public async Task The_circuit_of_a_tenant_is_counted_apart_without_the_name_of_the_tenant()
    {
        using var chain = new Chain(o => (o.CircuitBreaker.UseClassic().FailureThreshold, o.Retry.MaxRetryAttempts) = (2, 0));
        using var metrics = Listen(chain);
        chain.Server.Script(Replies.Status(503));
        for (int i = 0; i < 2; i++)
            (await chain.SendAsync(async: true, Chain.Get().WithTenant("comp1"))).Dispose();

        metrics.Of("circuit.transitions").ShouldHaveSingleItem().Text
            .ShouldBe($"{Host}, http.resilience.circuit.state=open, http.resilience.circuit.scope=tenant");
        State(metrics).ShouldBe(0);
    }

    [Fact]
    public async Task Without_a_circuit_breaker_there_is_no_state_to_observe()
    {
        using var chain = new Chain(o => o.CircuitBreaker.BreakDuration = null);
        using var metrics = Listen(chain);
        (await chain.GetAsync()).Dispose();

        metrics.Observe("circuit.state").ShouldBeEmpty();
    }

    [Theory, InlineData(429), InlineData(503)]
    public async Task A_pause_is_counted_when_it_begins_and_not_when_it_is_asked_for_again(int status)
    {
        using var chain = new Chain(o => (o.Retry.MaxRetryAttempts, o.CircuitBreaker.FailureThreshold) = (0, 1000));
        using var metrics = Listen(chain);
        var both = new TaskCompletionSource();
        int sent = 0;
        chain.Server.Script(async (clock, async, token) =>
        {
            int number = Interlocked.Increment(ref sent);
            if (number == 2)
                both.SetResult();
            await both.Task.WaitAsync(TimeSpan.FromSeconds(30), token);
            return await Replies.Status(status, ("Retry-After", $"{10 * number}"))(clock, async, token);
        });

        foreach (var response in await Task.WhenAll(chain.GetAsync(), chain.GetAsync()))
            response.Dispose();
        metrics.Of("pauses").Select(p => (p.Value, p.Text)).ShouldBe([(1, $"{Host}, http.response.status_code={status}")]);

        chain.Clock.Advance(TimeSpan.FromSeconds(30));
        (await chain.GetAsync()).Dispose();
        metrics.Of("pauses").Count.ShouldBe(2);
    }

    private static HttpResponseMessage HalfOpen(MeasurementCollector metrics)
    {
        State(metrics).ShouldBe(2);
        return new(System.Net.HttpStatusCode.OK);
    }

    private static double State(MeasurementCollector metrics)
    {
        var state = metrics.Observe("circuit.state").ShouldHaveSingleItem();
        state.Text.ShouldBe(Host);
        return state.Value;
    }

    private static MeasurementCollector Listen(Chain chain)
    {
        _ = chain.Client;
        return new(chain.Services);
    }
}
