using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Tests.CircuitBreaker;

/// <summary>One customer whose destination fails does not block the others; and circuits in the hands of an operator.</summary>
public sealed class TenantTests
{
    private readonly HashSet<string> _failing = [];
    private readonly AsyncLocal<string?> _sending = new();

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_tenant_that_fails_opens_its_own_circuit_and_leaves_the_others_alone(bool async)
    {
        using var chain = NewChain();
        _failing.Add("bad");
        for (int i = 0; i < 50; i++)
            await SendAsync(chain, "bad", async);

        (await SendAsync(chain, "bad", async)).ShouldBe("CircuitOpen bad");
        (await SendAsync(chain, "good", async)).ShouldBe("200");
        (await SendAsync(chain, null, async)).ShouldBe("200");
    }

    [Fact]
    public async Task When_different_tenants_fail_the_circuit_of_the_host_opens()
    {
        using var chain = NewChain();
        foreach (string tenant in new[] { "a", "b", "c", "d", "e" })
        {
            _failing.Add(tenant);
            (await SendAsync(chain, tenant)).ShouldBe("500");
        }

        (await SendAsync(chain, "f")).ShouldBe("CircuitOpen ");
        (await SendAsync(chain, null)).ShouldBe("CircuitOpen ");
    }

    [Fact]
    public async Task Without_isolation_any_five_failures_open_the_circuit_for_all()
    {
        using var chain = NewChain(o => o.CircuitBreaker.Isolation = CircuitIsolation.Authority);
        _failing.Add("bad");
        for (int i = 0; i < 5; i++)
            await SendAsync(chain, "bad");

        (await SendAsync(chain, "good")).ShouldBe("CircuitOpen ");
    }

    [Fact]
    public async Task A_tenant_that_is_rejected_by_the_hosts_circuit_gives_its_own_probe_back()
    {
        using var chain = NewChain();
        _failing.Add("bad");
        for (int i = 0; i < 5; i++)
            await SendAsync(chain, "bad");
        var circuits = chain.Services.GetRequiredService<ICircuits>();
        circuits.Isolate(Chain.Name, new("https://api.test"));
        chain.Clock.Advance(TimeSpan.FromSeconds(30));
        for (int i = 0; i < 3; i++)
            (await SendAsync(chain, "bad")).ShouldBe("CircuitOpen ");

        circuits.Close(Chain.Name, new("https://api.test"));
        _failing.Clear();
        (await SendAsync(chain, "bad")).ShouldBe("200");
    }

    [Fact]
    public async Task An_operator_sees_isolates_and_closes_circuits()
    {
        using var chain = NewChain();
        var circuits = chain.Services.GetRequiredService<ICircuits>();
        circuits.List().ShouldBeEmpty();
        _failing.Add("bad");
        for (int i = 0; i < 5; i++)
            await SendAsync(chain, "bad");

        circuits.List(Chain.Name).OrderBy(c => c.Tenant).ShouldBe(
        [
            new(Chain.Name, "https://api.test", null, CircuitState.Closed, null),
            new(Chain.Name, "https://api.test", "bad", CircuitState.Open, TimeSpan.FromSeconds(30)),
        ]);
        circuits.List("other").ShouldBeEmpty();

        circuits.Close(Chain.Name, new("https://api.test/any/path"), "bad");
        _failing.Clear();
        (await SendAsync(chain, "bad")).ShouldBe("200");

        circuits.Isolate(Chain.Name, new("https://api.test"));
        (await SendAsync(chain, "good")).ShouldBe("CircuitOpen ");
        chain.Logs.WithId(304).ShouldHaveSingleItem().Level.ShouldBe(LogLevel.Warning);
        circuits.Close(Chain.Name, new("https://api.test"));
        (await SendAsync(chain, "good")).ShouldBe("200");
    }

    [Fact]
    public void An_unknown_client_or_host_is_refused()
    {
        using var chain = NewChain();
        var circuits = chain.Services.GetRequiredService<ICircuits>();

        Should.Throw<ArgumentException>(() => circuits.Isolate("typo", new("https://api.test"))).Message.ShouldContain("typo");
        Should.Throw<ArgumentException>(() => circuits.Isolate(Chain.Name, new("/relative", UriKind.Relative)));
        Should.Throw<ArgumentException>(() => circuits.Close(Chain.Name, new("ftp://api.test")));
    }

    private Chain NewChain(Action<HttpResilienceOptions>? options = null)
    {
        var chain = new Chain(o =>
        {
            o.CircuitBreaker.UseClassic();
            o.Retry.MaxRetryAttempts = 0;
            options?.Invoke(o);
        });
        chain.Server.Script((_, _, _) => Task.FromResult(new HttpResponseMessage(
            _sending.Value is { } tenant && _failing.Contains(tenant)
                ? System.Net.HttpStatusCode.InternalServerError
                : System.Net.HttpStatusCode.OK)));
        return chain;
    }

    private async Task<string> SendAsync(Chain chain, string? tenant, bool async = true)
    {
        using var scope = HttpCallScope.Begin(new() { Tenant = _sending.Value = tenant });
        try
        {
            using var response = await chain.SendAsync(async, Chain.Get());
            return ((int)response.StatusCode).ToString(System.Globalization.CultureInfo.InvariantCulture);
        }
        catch (CircuitOpenException e)
        {
            return $"CircuitOpen {e.Tenant}";
        }
    }
}
