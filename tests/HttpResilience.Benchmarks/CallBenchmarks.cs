using System.Net;
using System.Net.Http.Headers;
using BenchmarkDotNet.Attributes;

namespace HttpResilience.Benchmarks;

/// <summary>The cost of a call that succeeds on the first attempt.</summary>
public class CallBenchmarks
{
    private const int Calls = 2000;

    private Clients _clients = null!;

    public static IReadOnlyList<CallScenario> Scenarios { get; } =
    [
        new("GET, answered at once", RequestKind.Get, Suspends: false, Threads: 1),
        new("GET, the answer is waited for", RequestKind.Get, Suspends: true, Threads: 1),
        new("GET, at once, 2 threads", RequestKind.Get, Suspends: false, Threads: 2),
        new("GET, waited for, 2 threads", RequestKind.Get, Suspends: true, Threads: 2),
        new("GET with 3 headers, at once", RequestKind.GetWithHeaders, Suspends: false, Threads: 1),
        new("GET with 3 headers, waited for", RequestKind.GetWithHeaders, Suspends: true, Threads: 1),
        new("POST with body and key, at once", RequestKind.Post, Suspends: false, Threads: 1),
        new("POST with body and key, waited for", RequestKind.Post, Suspends: true, Threads: 1),
    ];

    [ParamsSource(nameof(Scenarios))]
    public CallScenario Scenario { get; set; } = null!;

    [GlobalSetup]
    public void Setup()
    {
        _clients = new(() => new Stub(Scenario.Suspends, HttpStatusCode.OK));
        if (Scenario.Kind is RequestKind.GetWithHeaders)
        {
            foreach (var client in (HttpClient[])[_clients.Bare, _clients.Chain, _clients.Polly])
            {
                client.DefaultRequestHeaders.Accept.Add(new("application/json"));
                client.DefaultRequestHeaders.UserAgent.Add(new("InvoiceSender", "1.0"));
                client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "0123456789abcdef");
            }
        }
    }

    [Benchmark(OperationsPerInvoke = Calls)]
    public Task Bare() => Load.RunAsync(_clients.Bare, Scenario.Kind, Calls, Scenario.Threads);

    [Benchmark(OperationsPerInvoke = Calls)]
    public Task Chain() => Load.RunAsync(_clients.Chain, Scenario.Kind, Calls, Scenario.Threads);

    [Benchmark(OperationsPerInvoke = Calls)]
    public Task Polly() => Load.RunAsync(_clients.Polly, Scenario.Kind, Calls, Scenario.Threads);
}

public sealed record CallScenario(string Name, RequestKind Kind, bool Suspends, int Threads)
{
    public override string ToString() => Name;
}
