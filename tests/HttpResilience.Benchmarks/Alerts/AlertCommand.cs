using System.Diagnostics;
using System.Globalization;
using System.Net;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Benchmarks;

/// <summary><c>alerts</c>: the cost that the error budget and alerts add to the end of a call.</summary>
internal static class AlertCommand
{
    private const int Calls = 1_000_000;

    // Short ones: on a busy machine some of many run without a break.
    private const int RoundLength = 50_000;
    private const int Rounds = 400;

    internal static async Task<int> RunAsync()
    {
        Console.WriteLine("| 1,000,000 calls, counted by the error budget and by alerts | threads | ns added | bytes added | aim |");
        Console.WriteLine("|---|--:|--:|--:|--:|");
        bool isMet = true;
        foreach (int threads in (int[])[1, 2])
        {
            isMet &= await ReportAsync("succeed, to a healthy host", RequestKind.Get, failures: 0, threads).ConfigureAwait(false);
            isMet &= await ReportAsync(
                "succeed, for a tenant, to a healthy host", RequestKind.GetForTenant, failures: 0, threads).ConfigureAwait(false);
            isMet &= await ReportAsync(
                "succeed, to a host with a failed call", RequestKind.Get, failures: 1, threads).ConfigureAwait(false);
            isMet &= await ReportAsync("succeed, for a tenant, to a host with a failed call of another tenant", RequestKind.GetForTenant,
                failures: 1, threads).ConfigureAwait(false);
        }

        return isMet ? 0 : 1;
    }

    private static async Task<bool> ReportAsync(string name, RequestKind kind, int failures, int threads)
    {
        var (nanoseconds, bytes) = await MeasureAsync(kind, failures, threads).ConfigureAwait(false);
        Console.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"| {name} | {threads} | {nanoseconds:0.0} | {bytes:0} | < 50 ns, 0 B |"));
        return nanoseconds < 50 && bytes < 1;
    }

    // Time is measured on the code that runs when a call ends, because whole calls are too noisy; bytes are measured on whole calls.
    private static async Task<(double Nanoseconds, double Bytes)> MeasureAsync(RequestKind kind, int failures, int threads)
    {
        using var off = Provider(failures, out var without);
        using var on = Provider(failures, out var with);
        on.GetRequiredService<AlertEvaluator>().Begin();
        for (int i = 0; i < failures; i++)
            await FailAsync(with).ConfigureAwait(false);
        on.GetRequiredService<AlertEvaluator>().LookAtList();
        new Load(without, kind, inFlight: 1).Run(Calls / 10);
        new Load(with, kind, inFlight: 1).Run(Calls / 10);
        double bytes = BytesOf(with, kind) - BytesOf(without, kind);
        var call = await CallAsync(with, kind).ConfigureAwait(false);
        var client = on.GetRequiredKeyedService<Client>("chain");
        double best = double.MaxValue;
        for (int round = 0; round < Rounds; round++)
        {
            long began = Stopwatch.GetTimestamp();
            await Task.WhenAll(
                Enumerable.Range(0, threads).Select(_ => Task.Run(() => End(client, call, RoundLength / threads)))).ConfigureAwait(false);
            // Time per thread: with two threads, each one ends half of the calls.
            best = Math.Min(best, Stopwatch.GetElapsedTime(began).TotalNanoseconds * threads / RoundLength);
        }

        return (best, bytes);
    }

    private static void End(Client client, HttpCall call, int times)
    {
        // As the head of the chain keeps them.
        var observers = client.Observers!;
        for (int i = 0; i < times; i++)
            observers.CallEnded(client, call);
    }

    private static double BytesOf(HttpClient client, RequestKind kind)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        new Load(client, kind, inFlight: 1).Run(Calls);
        return Math.Round((GC.GetAllocatedBytesForCurrentThread() - before) / (double)Calls, 1);
    }

    private static ServiceProvider Provider(int failures, out HttpClient client)
    {
        var services = new ServiceCollection();
        HttpStatusCode[] statuses = [.. Enumerable.Repeat(HttpStatusCode.InternalServerError, failures)];
        services.AddHttpResilienceOperations();
        services.AddResilientHttpClient("chain", o => (o.Retry.MaxRetryAttempts, o.CircuitBreaker.FailureThreshold) = (0, null))
            .ConfigurePrimaryHttpMessageHandler(() => new FirstFail(statuses));
        services.AddLogging();
        var provider = services.BuildServiceProvider();
        client = provider.GetRequiredService<IHttpClientFactory>().CreateClient("chain");
        return provider;
    }

    private static async Task FailAsync(HttpClient client)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Address).WithTenant("other");
        (await client.SendAsync(request).ConfigureAwait(false)).Dispose();
    }

    private static async Task<HttpCall> CallAsync(HttpClient client, RequestKind kind)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Address);
        if (kind is RequestKind.GetForTenant)
            request.WithTenant("comp1");
        using var response = await client.SendAsync(request).ConfigureAwait(false);
        return response.GetHttpCall()!;
    }

    private static Uri Address { get; } = new("https://api.example.com/v1/invoices/17");

    private sealed class FirstFail(HttpStatusCode[] statuses) : HttpMessageHandler
    {
        private int _sent;

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(_sent < statuses.Length ? statuses[_sent++] : HttpStatusCode.OK));
    }
}
