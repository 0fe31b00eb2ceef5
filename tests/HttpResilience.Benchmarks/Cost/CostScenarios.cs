using System.Net;

namespace HttpResilience.Benchmarks;

/// <summary>What is measured, in the order of the table.</summary>
internal static class CostScenarios
{
    private static readonly CallScenario GetAsync = new("GET asynchronous") { Goals = [CostGoal.Time(4, 5), CostGoal.Bytes] };

    internal static IReadOnlyList<CostScenario> All { get; } =
    [
        new CallScenario("GET answered at once") { Suspends = false, Goals = [CostGoal.Time(4, 5)] },
        GetAsync,
        new CallScenario("GET asynchronous, 100 in flight") { InFlight = 100, Goals = [CostGoal.SameBytes(GetAsync), CostGoal.Bytes] },
        new CallScenario("GET asynchronous, 10,000 in flight")
        {
            InFlight = 10_000,
            Goals = [CostGoal.SameBytes(GetAsync), CostGoal.Bytes],
        },
        new CallScenario("GET asynchronous, on 2 threads") { Threads = 2 },
        new CallScenario("POST with JSON body and key, asynchronous", RequestKind.PostWithKey) { Goals = [CostGoal.Time(3, 5)] },
        new CallScenario("GET with 3 default headers, asynchronous")
        {
            Settings = new() { HasHeaders = true },
            Goals = [CostGoal.Time(3, 5)],
        },
        new CallScenario("503 then 200, asynchronous")
        {
            Settings = new() { RetriesAtOnce = true },
            Statuses = [HttpStatusCode.ServiceUnavailable, HttpStatusCode.OK],
            Goals = [CostGoal.Time(3, 4)],
        },
        new RejectionScenario { Goals = [CostGoal.Times(1.15)] },
        new NewHostScenario { Goals = [CostGoal.Kept(1000, 300)] },
        new EvictionScenario { Goals = [CostGoal.Longest(2000, 0.2e6)] },
        new LoopbackScenario { Goals = [CostGoal.Share(0.05)] },
        new CallScenario("GET for a tenant, asynchronous", RequestKind.GetForTenant) { Settings = new() { ByAuthority = true } },
        new CallScenario("POST with a content key, asynchronous", RequestKind.Post)
        {
            Settings = new() { HasContentKeys = true },
        },
        new CallScenario("GET with hedging on, asynchronous") { Settings = new() { Hedges = true } },
        new CallScenario("GET with a concurrency limit, asynchronous") { Settings = new() { HasLimit = true } },
        new CallScenario("GET with three routes, asynchronous") { Settings = new() { HasRoutes = true } },
        new CallScenario("GET with a quota and its pace, asynchronous") { Settings = new() { HasQuota = true } },
        new CallScenario("GET with an adaptive limit, asynchronous") { Settings = new() { HasAdaptiveLimit = true } },
        new CallScenario("GET with a learned timeout, asynchronous") { Settings = new() { Learns = true } },
        new CallScenario("GET with two endpoints, asynchronous") { Settings = new() { HasEndpoints = true } },
        new CallScenario("GET with an empty Polly pipeline, asynchronous") { Settings = new() { HasEmptyPipeline = true } },
    ];
}
