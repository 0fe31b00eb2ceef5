using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.CircuitBreaker;

/// <summary>What a circuit tells when an operator has isolated it, or when it only observes.</summary>
public sealed class IsolatedAndObservedTests
{
    private static readonly Uri Api = new("https://api.test");

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_circuit_that_was_open_when_it_was_isolated_promises_no_probe(bool async)
    {
        using var chain = await DownAsync();
        chain.Services.GetRequiredService<ICircuits>().Isolate(Chain.Name, Api);

        (await Should.ThrowAsync<CircuitOpenException>(() => chain.GetAsync(async))).RetryAfter.ShouldBeNull();

        chain.Clock.Advance(TimeSpan.FromMinutes(1));
        await Should.ThrowAsync<CircuitOpenException>(() => chain.GetAsync(async));
        chain.Logs.WithId(304).Count.ShouldBe(1);
        chain.Logs.WithId(305).ShouldBeEmpty();
    }

    [Theory, InlineData("00:00:05", 3, 0), InlineData("", 0, 3)]
    public async Task An_observed_circuit_counts_the_calls_that_would_have_waited(string maxWait, int waited, int failed)
    {
        using var chain = await DownAsync();
        chain.Reload(("CircuitBreaker:Mode", "Observe"), ("CircuitBreaker:MaxWait", maxWait));
        for (int i = 0; i < 3; i++)
            await chain.GetAsync();

        chain.Server.Replace(Outcome.Status(200));
        chain.Clock.Advance(TimeSpan.FromSeconds(1));
        await chain.GetAsync();

        chain.Logs.WithId(303).ShouldHaveSingleItem().Message
            .ShouldEndWith($"calls that waited: {waited}, failed: {failed}");
    }

    private static async Task<Chain> DownAsync()
    {
        var chain = new Chain(o => o.Retry.MaxRetryAttempts = 0);
        await chain.GetAsync();
        chain.Trip();
        chain.Server.Replace(Outcome.Status(503));
        return chain;
    }
}
