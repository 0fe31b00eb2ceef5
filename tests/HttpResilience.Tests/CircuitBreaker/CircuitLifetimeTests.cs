namespace HttpResilience.Tests.CircuitBreaker;

/// <summary>A circuit belongs to the client, not to the handlers that the factory replaces every two minutes.</summary>
public sealed class CircuitLifetimeTests
{
    [Fact]
    public async Task An_open_circuit_survives_a_configuration_reload()
    {
        using var chain = await OpenedAsync();
        var before = chain.State.Policy;

        chain.Reload(("CircuitBreaker:FailureThreshold", "7"));

        chain.State.Policy.ShouldNotBeSameAs(before);
        await Assert.ThrowsAnyAsync<CircuitOpenException>(() => chain.GetAsync());
        chain.Server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task An_open_circuit_survives_the_rotation_of_handlers()
    {
        using var chain = await OpenedAsync();

        using var rotated = new HttpClient(Chain.BuildHandlers(chain.Services).Build()) { BaseAddress = new("https://api.test/") };

        await Assert.ThrowsAnyAsync<CircuitOpenException>(() => rotated.SendAsync(Chain.Get(), TestContext.Current.CancellationToken));
        chain.Server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Failures_before_and_after_a_rotation_count_together()
    {
        using var chain = new Chain(o =>
        {
            o.CircuitBreaker.UseClassic();
            (o.CircuitBreaker.FailureThreshold, o.Retry.MaxRetryAttempts) = (3, 0);
        });
        chain.Server.Script(Replies.Status(503));
        (await chain.GetAsync()).Dispose();
        (await chain.GetAsync()).Dispose();

        using var rotated = new HttpClient(Chain.BuildHandlers(chain.Services).Build()) { BaseAddress = new("https://api.test/") };
        (await rotated.SendAsync(Chain.Get(), TestContext.Current.CancellationToken)).Dispose();

        await Assert.ThrowsAnyAsync<CircuitOpenException>(() => chain.GetAsync());
    }

    [Fact]
    public async Task Circuits_are_bounded_and_an_open_one_is_not_forgotten()
    {
        using var chain = await OpenedAsync(o => o.CircuitBreaker.MaxCircuits = 10);
        chain.Server.Script(Replies.Status(200));

        for (int i = 0; i < 100; i++)
            (await chain.SendAsync(true, Chain.Get($"https://host{i}.test/"))).Dispose();

        chain.State.Hosts.Count.ShouldBeInRange(1, 10);
        await Assert.ThrowsAnyAsync<CircuitOpenException>(() => chain.GetAsync());
    }

    private static async Task<Chain> OpenedAsync(Action<HttpResilienceOptions>? options = null)
    {
        var chain = new Chain(
            o =>
            {
                o.CircuitBreaker.UseClassic();
                options?.Invoke(o);
            },
            settings: new Dictionary<string, string?> { ["CircuitBreaker:FailureThreshold"] = "1", ["Retry:MaxRetryAttempts"] = "0" });
        chain.Server.Script(Replies.Status(503));
        (await chain.GetAsync()).Dispose();
        return chain;
    }
}
