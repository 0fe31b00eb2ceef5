namespace HttpResilience.Tests.Retry;

/// <summary>A 429 to the call of a tenant holds back that tenant; a second tenant's, the host.</summary>
public sealed class TenantPauseTests
{
    private const string Partition = "\"default\";r=0;t=20;pk=:YQ==:";

    private static readonly TimeSpan Asked = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData("Retry-After", "20"), InlineData("RateLimit", "\"default\";r=0;t=20"), InlineData("RateLimit", Partition)]
    public async Task Only_calls_of_the_tenant_wait(string field, string value)
    {
        using var chain = new Chain();
        await chain.LimitAsync("a", (field, value));

        (await chain.WaitOfAsync("b")).ShouldBe(TimeSpan.Zero);
        (await chain.WaitOfAsync(null)).ShouldBe(TimeSpan.Zero);
        (await chain.WaitOfAsync("a")).ShouldBe(Asked);
    }

    [Theory, InlineData(CircuitIsolation.Authority, true), InlineData(CircuitIsolation.AuthorityAndTenant, false)]
    public async Task Whatever_the_circuit_is_kept_for(CircuitIsolation isolation, bool hasCircuit)
    {
        using var chain = new Chain(o =>
        {
            o.CircuitBreaker.Isolation = isolation;
            if (!hasCircuit)
                o.CircuitBreaker.BreakDuration = null;
        });
        await chain.LimitAsync("a", ("Retry-After", "20"));

        (await chain.WaitOfAsync("b")).ShouldBe(TimeSpan.Zero);
        (await chain.WaitOfAsync("a")).ShouldBe(Asked);
    }

    [Fact]
    public async Task The_limit_of_a_second_tenant_within_the_pause_of_the_first_is_that_of_the_host()
    {
        using var chain = new Chain();
        await chain.LimitAsync("a", ("Retry-After", "20"));
        await chain.LimitAsync("b", ("Retry-After", "20"));

        (await chain.WaitOfAsync("c")).ShouldBe(Asked);
    }

    [Fact]
    public async Task After_the_pause_of_the_first_it_is_that_of_the_second()
    {
        using var chain = new Chain();
        await chain.LimitAsync("a", ("Retry-After", "20"));
        chain.Clock.Advance(Asked);
        await chain.LimitAsync("b", ("Retry-After", "20"));

        (await chain.WaitOfAsync("a")).ShouldBe(TimeSpan.Zero);
        (await chain.WaitOfAsync("b")).ShouldBe(Asked);
    }

    [Theory, InlineData(Partition, Partition), InlineData(Partition, "\"default\";r=0;t=20"), InlineData("\"default\";r=0;t=20", Partition)]
    public async Task A_partition_is_never_the_host(string first, string second)
    {
        using var chain = new Chain();
        await chain.LimitAsync("a", ("RateLimit", first));
        await chain.LimitAsync("b", ("RateLimit", second));

        (await chain.WaitOfAsync("c")).ShouldBe(TimeSpan.Zero);
        (await chain.WaitOfAsync("b")).ShouldBe(Asked);
    }

    [Theory, InlineData(503, null), InlineData(429, null), InlineData(503, "a")]
    public async Task A_call_without_a_tenant_and_a_503_hold_back_the_host(int status, string? tenant)
    {
        using var chain = new Chain();
        await chain.LimitAsync(tenant, ("Retry-After", "20"), status);

        (await chain.WaitOfAsync("b")).ShouldBe(Asked);
    }

    [Fact]
    public async Task A_503_with_the_quota_of_a_partition_holds_back_the_tenant()
    {
        using var chain = new Chain();
        await chain.LimitAsync("a", ("RateLimit", Partition), status: 503);

        (await chain.WaitOfAsync("b")).ShouldBe(TimeSpan.Zero);
        (await chain.WaitOfAsync("a")).ShouldBe(Asked);
    }

    [Fact]
    public async Task A_call_that_cannot_wait_so_long_is_rejected_and_a_longer_pause_of_the_host_holds_too()
    {
        using var chain = new Chain(o => o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(30));
        await chain.LimitAsync("a", ("Retry-After", "20"));
        await chain.LimitAsync(null, ("Retry-After", "40"));

        (await Should.ThrowAsync<RateLimitedException>(() => chain.SendAsync(true, Chain.Get().WithTenant("a")))).RetryAfter
            .ShouldBe(TimeSpan.FromSeconds(40));
        chain.Clock.Advance(TimeSpan.FromSeconds(15));
        (await chain.WaitOfAsync("a")).ShouldBeInRange(TimeSpan.FromSeconds(25), TimeSpan.FromSeconds(39));
    }

    [Fact]
    public void Pauses_that_have_ended_are_forgotten()
    {
        var pauses = new TenantPauses();
        for (int i = 0; i < 100; i++)
        {
            string tenant = i.ToString(System.Globalization.CultureInfo.InvariantCulture);
            pauses.GetOrAdd(tenant, now: i, until: i + 10, isOfPartition: true)!.Extend(i, i + 10);
        }

        pauses.Until.ShouldBe(109);
        pauses.Find("99").ShouldNotBeNull();
        pauses.Find("91").ShouldNotBeNull();
        pauses.Find("89").ShouldBeNull();
        pauses.Find("0").ShouldBeNull();
    }

    [Fact]
    public void A_pause_that_was_made_longer_is_kept_until_its_end()
    {
        var pauses = new TenantPauses();
        pauses.GetOrAdd("a", now: 0, until: 10, isOfPartition: true)!.Extend(0, 10);
        pauses.GetOrAdd("a", now: 5, until: 30, isOfPartition: true)!.Extend(5, 30);

        pauses.GetOrAdd("b", now: 20, until: 40, isOfPartition: true)!.Extend(20, 40);
        pauses.Find("a")!.Until.ShouldBe(30);

        pauses.GetOrAdd("c", now: 30, until: 50, isOfPartition: true)!.Extend(30, 50);
        pauses.Find("a").ShouldBeNull();
        pauses.Find("b").ShouldNotBeNull();
    }

    [Fact]
    public void Above_the_limit_the_pause_that_ends_first_is_forgotten()
    {
        var pauses = new TenantPauses();
        foreach (var (tenant, end) in ((string, int)[])[("long", 90), ("short", 50), ("longer", 40)])
            pauses.GetOrAdd(tenant, now: 0, end, isOfPartition: true, limit: 3)!.Extend(0, end);
        pauses.GetOrAdd("longer", now: 1, until: 80, isOfPartition: true, limit: 3)!.Extend(1, 80);

        pauses.GetOrAdd("new", now: 2, until: 60, isOfPartition: true, limit: 3)!.Extend(2, 60);

        pauses.Find("short").ShouldBeNull();
        pauses.Find("long").ShouldNotBeNull();
        pauses.Find("longer").ShouldNotBeNull();
        pauses.Find("new").ShouldNotBeNull();
    }

    [Fact]
    public async Task The_tenants_of_a_host_with_a_pause_are_as_many_as_hosts_may_be()
    {
        using var chain = new Chain(o => o.CircuitBreaker.MaxCircuits = 10);
        for (int i = 0; i < 30; i++)
            await chain.LimitAsync($"tenant {i}", ("RateLimit", Partition));

        (await chain.WaitOfAsync("tenant 0")).ShouldBe(TimeSpan.Zero);
        (await chain.WaitOfAsync("tenant 29")).ShouldBe(Asked);
    }
}

file static class Limited
{
    private static readonly TimeSpan Asked = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Spread = TimeSpan.FromSeconds(1);

    internal static async Task LimitAsync(this Chain chain, string? tenant, (string Field, string Value) hint, int status = 429)
    {
        chain.Server.Script(Replies.Status(status, hint), Replies.Status(200));
        (await chain.SendAsync(true, Of(tenant).WithMaxRetryAttempts(0))).StatusCode.ShouldBe((System.Net.HttpStatusCode)status);
    }

    internal static async Task<TimeSpan> WaitOfAsync(this Chain chain, string? tenant)
    {
        chain.Server.Script(Replies.Status(200));
        var before = chain.Clock.Elapsed;
        (await chain.SendAsync(true, Of(tenant))).Dispose();
        var waited = chain.Clock.Elapsed - before;
        // Less than a second is added, so that calls are spread; a wait is rounded up to a millisecond, and so to a whole second at most.
        return waited == Asked + Spread ? Asked : TimeSpan.FromSeconds(Math.Floor(waited.TotalSeconds));
    }

    private static HttpRequestMessage Of(string? tenant) => tenant is null ? Chain.Get() : Chain.Get().WithTenant(tenant);
}
