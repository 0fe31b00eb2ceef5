namespace HttpResilience.Tests.CircuitBreaker;

/// <summary>Random sequences of calls for tenants, one of whom always fails: whatever the order, the others do not notice.</summary>
public sealed class TenantSequencesTests
{
    private const int Sequences = 200;
    private const int Calls = 50;

    [Fact]
    public async Task A_single_failing_tenant_never_opens_the_circuit_of_the_host_or_of_another_tenant()
    {
        int seed = Environment.TickCount & 0xFFFF;
        int rejections = 0;
        for (int sequence = 0; sequence < Sequences; sequence++)
        {
            var random = new Random(seed + sequence);
            using var chain = new Chain(o =>
            {
                o.Retry.MaxRetryAttempts = 0;
                o.CircuitBreaker.UseClassic();
                o.CircuitBreaker.FailureThreshold = random.Next(2, 7);
                o.CircuitBreaker.MinimumThroughput = random.Next(5, 50);
                o.CircuitBreaker.FailureRatio = random.Next(30, 101) / 100.0;
            });
            int badChance = random.Next(10, 100);
            for (int call = 0; call < Calls; call++)
            {
                bool isBad = random.Next(100) < badChance;
                string? tenant = isBad ? "bad" : random.Next(3) switch { 0 => "good", 1 => "better", _ => null };
                chain.Server.Script(Replies.Status(isBad ? 500 : 200));
                if (random.Next(10) == 0)
                    chain.Clock.Advance(TimeSpan.FromSeconds(random.Next(100)));
                try
                {
                    using var response = await chain.SendAsync(true, tenant is null ? Chain.Get() : Chain.Get().WithTenant(tenant));
                    ((int)response.StatusCode).ShouldBe(isBad ? 500 : 200);
                }
                catch (CircuitOpenException e)
                {
                    rejections++;
                    e.Tenant.ShouldBe("bad", $"seed {seed}, sequence {sequence}, call {call} for {tenant ?? "nobody"}");
                    tenant.ShouldBe("bad");
                }
            }
        }

        // Else nothing was at stake.
        rejections.ShouldBeGreaterThan(Sequences);
    }
}
