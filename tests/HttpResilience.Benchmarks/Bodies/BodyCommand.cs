using System.Net;
using System.Net.Http.Json;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Benchmarks;

/// <summary>What a request body costs: a value is sent as it is, every other body is recorded while it is sent.</summary>
internal static class BodyCommand
{
    private const int Calls = 2000;
    private const int Rounds = 15;

    private static readonly Invoice[] Rows = [.. Enumerable.Range(0, 20).Select(i => new Invoice(i, $"receiver {i}", 1.5m * i))];
    private static readonly byte[] Long = new byte[100_000];

    private static readonly (string Name, Func<HttpContent> Make)[] Bodies =
    [
        ("text, 1 KB: a value", () => new ByteArrayContent(Long, 0, 1000)),
        ("JSON of an array of 20 records: a value", () => JsonContent.Create(Rows)),
        ("JSON of an iterator over the same records: recorded", () => JsonContent.Create(Rows.Select(row => row))),
        ("pushed content, 1 KB: recorded", () => new Pushed(1000)),
        ("pushed content, 100 KB: recorded", () => new Pushed(100_000)),
        ("stream that can seek, 100 KB: a value", () => new StreamContent(new MemoryStream(Long))),
    ];

    internal static async Task<int> RunAsync()
    {
        var services = new ServiceCollection();
        services.ConfigureHttpClientDefaults(c => c.RemoveAllLoggers().SetHandlerLifetime(Timeout.InfiniteTimeSpan)
            .ConfigurePrimaryHttpMessageHandler(() => new Reader()));
        services.AddHttpClient("bare");
        services.AddResilientHttpClient("chain");
        using var provider = services.BuildServiceProvider();
        var factory = provider.GetRequiredService<IHttpClientFactory>();
        var (bare, chain) = (factory.CreateClient("bare"), factory.CreateClient("chain"));

        Console.WriteLine("| body of a POST | bare | chain | added |");
        Console.WriteLine("|---|--:|--:|--:|");
        foreach (var (name, make) in Bodies)
        {
            List<(double Time, double Bytes)> without = [], with = [];
            for (int round = 0; round < Rounds; round++)
            {
                without.Add(await MeasureAsync(bare, make));
                with.Add(await MeasureAsync(chain, make));
            }

            var (b, c) = (Median(without), Median(with));
            Console.WriteLine(
                $"| {name} | {b.Time:N0} ns, {b.Bytes:N0} B | {c.Time:N0} ns, {c.Bytes:N0} B "
                + $"| {c.Time - b.Time:N0} ns, {c.Bytes - b.Bytes:N0} B |");
        }

        return 0;
    }

    private static async Task<(double Time, double Bytes)> MeasureAsync(HttpClient client, Func<HttpContent> make)
    {
        long bytes = GC.GetTotalAllocatedBytes(precise: true);
        var cpu = Environment.CpuUsage.TotalTime;
        for (int i = 0; i < Calls; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "http://localhost/") { Content = make() };
            using var response = await client.SendAsync(request);
        }

        var spent = Environment.CpuUsage.TotalTime - cpu;
        return (spent.TotalNanoseconds / Calls, (double)(GC.GetTotalAllocatedBytes(precise: true) - bytes) / Calls);
    }

    private static (double Time, double Bytes) Median(List<(double Time, double Bytes)> rounds) =>
        (rounds.Order().ElementAt(Rounds / 2).Time, rounds.OrderBy(r => r.Bytes).ElementAt(Rounds / 2).Bytes);

    private sealed record Invoice(int Number, string Receiver, decimal Net);

    private sealed class Pushed(int length) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            for (int at = 0; at < length; at += 10_000)
                await stream.WriteAsync(Long.AsMemory(at, Math.Min(10_000, length - at)));
        }

        protected override bool TryComputeLength(out long known)
        {
            known = 0;
            return false;
        }
    }

    /// <summary>Reads the body and answers.</summary>
    private sealed class Reader : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            await request.Content!.CopyToAsync(Stream.Null, cancellationToken);
            return new(HttpStatusCode.OK) { RequestMessage = request };
        }
    }
}
