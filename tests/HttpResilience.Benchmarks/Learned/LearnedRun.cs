using System.Net;
using HttpResilience.Simulation;

namespace HttpResilience.Benchmarks;

/// <summary>Reads at a constant rate in virtual time, with hedging off or at the delay that it learns.</summary>
internal sealed class LearnedRun
{
    internal static readonly TimeSpan Duration = TimeSpan.FromMinutes(5);

    private const int PerSecond = 200;

    private static readonly Uri Uri = new("https://api.example.com/v1/invoices");

    private readonly List<double> _latencies = [];
    private readonly VirtualTime _time = new();
    private int _requests;
    private int _failed;

    internal static LearnedResult Run(LatencyShape shape, int seed, Action<HttpResilienceOptions>? configure)
    {
        var run = new LearnedRun();
        var luck = new Luck((ulong)seed);
        using var host = new SimulatedHost(run._time, _ =>
        {
            run._requests++;
            return new(HttpStatusCode.OK, shape.At(run._time.Elapsed, luck.Next(), luck.Next()));
        });
        using var clients = new SimulatedClients(run._time, host);
        run._time.RunOnPool(() =>
        {
            var client = clients.WithChain(seed, configure);
            for (int call = 0; call < PerSecond * Duration.TotalSeconds; call++)
                run._time.At(TimeSpan.FromSeconds((double)call / PerSecond), () => _ = run.CallAsync(client));
        }, Duration + TimeSpan.FromSeconds(30));
        run._latencies.Sort();
        return new(run.Quantile(0.5), run.Quantile(0.95), run.Quantile(0.99), run._requests, run._failed);
    }

    private async Task CallAsync(HttpClient client)
    {
        var began = _time.Elapsed;
        try
        {
            using var response = await client.GetAsync(Uri, HttpCompletionOption.ResponseHeadersRead).ConfigureAwait(false);
            _latencies.Add((_time.Elapsed - began).TotalMilliseconds);
        }
        catch (HttpRequestException)
        {
            _failed++;
        }
    }

    private double Quantile(double quantile) => _latencies[(int)Math.Ceiling(quantile * _latencies.Count) - 1];
}

/// <summary>Latencies in milliseconds.</summary>
internal readonly record struct LearnedResult(double P50, double P95, double P99, int Requests, int Failed);
