using System.Net;
using BenchmarkDotNet.Attributes;
using Polly.CircuitBreaker;

namespace HttpResilience.Benchmarks;

/// <summary>A 503, then an immediate retry and a 200; the bare client makes two calls instead.</summary>
public class RetryBenchmarks
{
    private const int Calls = 1000;

    private Clients _clients = null!;

    [ParamsAllValues]
    public bool Suspends { get; set; }

    [GlobalSetup]
    public void Setup() => _clients = new(
        () => new Stub(Suspends, HttpStatusCode.ServiceUnavailable, HttpStatusCode.OK),
        new() { RetryDelay = TimeSpan.Zero, FailureRatio = 1 },
        configure: options =>
        {
            options.Retry.Delay = TimeSpan.Zero;
            options.CircuitBreaker.FailureRatio = 1;
        });

    [Benchmark(OperationsPerInvoke = Calls)]
    public Task Bare() => Load.RunAsync(_clients.Bare, RequestKind.Get, 2 * Calls, threads: 1);

    [Benchmark(OperationsPerInvoke = Calls)]
    public Task Chain() => Load.RunAsync(_clients.Chain, RequestKind.Get, Calls, threads: 1);

    [Benchmark(OperationsPerInvoke = Calls)]
    public Task Polly() => Load.RunAsync(_clients.Polly, RequestKind.Get, Calls, threads: 1);
}

/// <summary>A call that an open circuit rejects; the bare client has no circuit.</summary>
public class OpenCircuitBenchmarks
{
    private const int Calls = 100;

    private Clients _clients = null!;

    [GlobalSetup]
    public async Task Setup()
    {
        var day = TimeSpan.FromDays(1);
        _clients = new(
            () => new Stub(suspends: false, HttpStatusCode.ServiceUnavailable),
            new() { MaxRetryAttempts = 0, BreakDuration = day },
            configure: options =>
            {
                options.Retry.MaxRetryAttempts = 0;
                options.CircuitBreaker.BreakDuration = day;
                options.CircuitBreaker.MaxBreakDuration = day;
            });
        await OpenAsync(_clients.Chain);
        await OpenAsync(_clients.Polly);
    }

    [Benchmark(OperationsPerInvoke = Calls)]
    public Task<int> Chain() => RejectionsAsync(_clients.Chain, Calls);

    [Benchmark(OperationsPerInvoke = Calls)]
    public Task<int> Polly() => RejectionsAsync(_clients.Polly, Calls);

    private static async Task OpenAsync(HttpClient client)
    {
        await RejectionsAsync(client, 200);
        if (await RejectionsAsync(client, 10) != 10)
            throw new InvalidOperationException("The circuit did not open.");
    }

    private static async Task<int> RejectionsAsync(HttpClient client, int calls)
    {
        int rejections = 0;
        for (int i = 0; i < calls; i++)
        {
            try
            {
                await Load.RunAsync(client, RequestKind.Get, 1, threads: 1);
            }
            catch (Exception e) when (e is CircuitOpenException or BrokenCircuitException)
            {
                rejections++;
            }
        }

        return rejections;
    }
}
