using System.Diagnostics;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Benchmarks;

/// <summary>
/// Compares the rate of the replay worker with the same client that sends the same requests from memory at
/// equal parallelism. Prints a Markdown table.
/// </summary>
internal static class DrainBenchmark
{
    private const int Passes = 4;
    private const int AtOnce = 4;
    private const string Client = "billing";

    private static readonly DeadLetterReplayOptions Defaults = new();

    internal static async Task<int> RunAsync(int letters)
    {
        var table = new StringBuilder()
            .AppendLine(Text($"| store | the API answers | from memory | from the store | ratio |"))
            .AppendLine("|---|---|--:|--:|--:|");
        foreach (var kind in new Func<Task<BenchmarkDatabase>>[] { BenchmarkDatabase.SqliteAsync, BenchmarkDatabase.PostgreSqlAsync })
        {
            foreach (var (latency, count) in new[]
            {
                (TimeSpan.Zero, letters),
                (TimeSpan.FromMilliseconds(1), letters / 2),
                (TimeSpan.FromMilliseconds(20), letters / 10)
            })
            {
                await using var database = await kind();
                table.AppendLine(await LineAsync(database, latency, count));
                Console.Error.WriteLine(table);
            }
        }

        Console.WriteLine(table);
        return 0;
    }

    private static async Task<string> LineAsync(BenchmarkDatabase database, TimeSpan latency, int count)
    {
        var script = new FaultScript(keepsRequests: false).Status(201, "{\"id\":1}");
        await using var server = await FaultServer.StartAsync(
            latency > TimeSpan.Zero ? script.Delayed(latency) : script, new() { KeepsConnections = true });
        // A warm-up run, so that neither side is measured with unoptimized code.
        await SendAsync(server.Uri, count);
        await DrainAsync(database, server, count);
        // Alternating runs, the best of each, because other work on the machine can only slow one down.
        double memory = 0, store = 0;
        for (int pass = 0; pass < Passes; pass++)
        {
            memory = Math.Max(memory, await SendAsync(server.Uri, count));
            store = Math.Max(store, await DrainAsync(database, server, count));
        }

        string answers = latency > TimeSpan.Zero ? Text($"after {latency.TotalMilliseconds:0} ms") : "at once";
        return Text($"| {database.Name} | {answers} | {memory:N0}/s | {store:N0}/s | {store / memory:0.00} |");
    }

    /// <summary>Requests per second of the client alone.</summary>
    private static async Task<double> SendAsync(Uri api, int count)
    {
        using var host = Build(api, _ => { });
        var client = host.Services.GetRequiredService<IHttpClientFactory>().CreateClient(Client);
        byte[] body = new byte[200];
        long began = Stopwatch.GetTimestamp();
        await Parallel.ForEachAsync(Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (_, token) =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "invoices") { Content = new ReadOnlyMemoryContent(body) };
            using var response = await client.SendAsync(request.WithIdempotencyKey(Guid.NewGuid().ToString()), token);
            response.EnsureSuccessStatusCode();
        });
        return count / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    /// <summary>Letters per second, from the start of the worker until the last letter is stored as replayed.</summary>
    private static async Task<double> DrainAsync(BenchmarkDatabase database, FaultServer server, int count)
    {
        await database.ClearAsync();
        int next = 0;
        await Task.WhenAll(Enumerable.Range(0, 256).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Increment(ref next) <= count)
                await database.Letters.AddAsync(Letter(server.Uri), CancellationToken.None);
        })));
        await database.SettleAsync();

        int expected = server.RequestCount + count;
        using var host = Build(server.Uri, services => services.AddHttpResilienceStorage(database.Use).AddDeadLetterReplay());
        long began = Stopwatch.GetTimestamp();
        await host.StartAsync();
        // Letters are counted in the database only after all requests have arrived, because counting costs time too.
        while (server.RequestCount < expected)
            await Task.Delay(5);
        while ((await database.Letters.CountAsync(CancellationToken.None))[DeadLetterStatus.Replayed] < count)
            await Task.Delay(5);
        double rate = count / Stopwatch.GetElapsedTime(began).TotalSeconds;
        await host.StopAsync();
        return rate;
    }

    private static IHost Build(Uri api, Action<IServiceCollection> more)
    {
        if (Defaults.MaxConcurrencyPerAuthority != AtOnce)
            throw new InvalidOperationException("The worker's parallelism per host differs from the one assumed here.");
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        more(builder.Services);
        bool hasStore = builder.Services.Any(s => s.ServiceType == typeof(IDeadLetterStore));
        builder.Services.AddResilientHttpClient(Client, o => (o.BaseAddress, o.DeadLetter.Enabled) = (api, hasStore));
        return builder.Build();
    }

    private static DeadLetter Letter(Uri api)
    {
        var now = DateTimeOffset.UtcNow;
        return new()
        {
            Id = Guid.CreateVersion7(),
            ClientName = Client,
            Method = "POST",
            Uri = new(api, "invoices"),
            Headers = [],
            Body = new byte[200],
            IdempotencyKey = Guid.NewGuid().ToString(),
            FailureClass = FailureClass.Transient,
            StopReason = StopReason.AttemptsExhausted,
            FirstFailedAt = now,
            LastFailedAt = now,
            Attempts = 4,
            Status = DeadLetterStatus.Pending,
            DueAt = now,
        };
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
