using System.Net;
using BenchmarkDotNet.Attributes;

namespace HttpResilience.Benchmarks;

/// <summary>The first call to each of 100,000 hosts, and the memory retained for each host.</summary>
[WarmupCount(1), IterationCount(4)]
public class NewAuthorityBenchmarks
{
    internal const int Authorities = 100_000;

    private static readonly Uri[] Uris =
        [.. Enumerable.Range(0, Authorities).Select(i => Parsed($"https://tenant{i}.example.com/v1/invoices"))];

    private Clients _clients = null!;
    private long _before;

    /// <summary>Retained bytes per authority by the name of the benchmark. The benchmarks run in this process.</summary>
    internal static Dictionary<string, double> Retained { get; } = [];

    [IterationSetup]
    public void Setup()
    {
        _clients = new(
            () => new Stub(suspends: false, HttpStatusCode.OK), byAuthority: true,
            configure: options => options.CircuitBreaker.MaxCircuits = 2 * Authorities);
        _before = GC.GetTotalMemory(forceFullCollection: true);
    }

    [IterationCleanup(Target = nameof(Bare))]
    public void CleanupBare() => Cleanup(nameof(Bare));

    [IterationCleanup(Target = nameof(Chain))]
    public void CleanupChain() => Cleanup(nameof(Chain));

    [IterationCleanup(Target = nameof(Polly))]
    public void CleanupPolly() => Cleanup(nameof(Polly));

    [Benchmark(OperationsPerInvoke = Authorities)]
    public Task Bare() => CallAllAsync(_clients.Bare);

    [Benchmark(OperationsPerInvoke = Authorities)]
    public Task Chain() => CallAllAsync(_clients.Chain);

    [Benchmark(OperationsPerInvoke = Authorities)]
    public Task Polly() => CallAllAsync(_clients.Polly);

    private static async Task CallAllAsync(HttpClient client)
    {
        foreach (var uri in Uris)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, uri);
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        }
    }

    private void Cleanup(string name)
    {
        Retained[name] = Math.Max(0, GC.GetTotalMemory(forceFullCollection: true) - _before) / (double)Authorities;
        GC.KeepAlive(_clients);
    }

    // A Uri is parsed lazily; parsing it here keeps that out of the measurement.
    private static Uri Parsed(string address)
    {
        var uri = new Uri(address);
        _ = uri.IdnHost;
        return uri;
    }
}
