using System.Diagnostics;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Benchmarks;

/// <summary>
/// Compares the rate of the replay worker with the same client that sends the same requests from memory at
/// equal parallelism, and the processor time and bytes that each takes; the server's are in both, the database server's in neither.
/// Prints Markdown tables.
/// </summary>
internal static class DrainBenchmark
{
    private const int Passes = 3;
    private const int AtOnce = 4;
    private const int WrittenTogether = 128;
    private const string Client = "billing";

    private static readonly DeadLetterReplayOptions Defaults = new();

    internal static async Task<int> RunAsync(int letters, string? only)
    {
        var table = new StringBuilder()
            .AppendLine("| store | the API answers | from memory | from the store | ratio | CPU, a request | a letter | bytes, a request "
                + "| a letter |")
            .AppendLine("|---|---|--:|--:|--:|--:|--:|--:|--:|");
        var parts = new StringBuilder()
            .AppendLine("| store | claim alone, CPU | bytes | result alone, CPU | bytes |")
            .AppendLine("|---|--:|--:|--:|--:|");
        foreach (var kind in new[] { BenchmarkDatabase.SqliteAsync, BenchmarkDatabase.PostgreSqlAsync })
        {
            if (only is not null && !kind.Method.Name.StartsWith(only, StringComparison.OrdinalIgnoreCase))
                continue;
            foreach (var (latency, count) in new[]
            {
                (TimeSpan.Zero, letters),
                (TimeSpan.FromMilliseconds(1), letters / 10),
                (TimeSpan.FromMilliseconds(20), letters / 50)
            })
            {
                await using var database = await kind();
                table.AppendLine(await LineAsync(database, latency, count));
                if (latency == TimeSpan.Zero)
                    parts.AppendLine(await PartsAsync(database, count));
                Console.Error.WriteLine(table);
            }
        }

        Console.WriteLine(table.AppendLine().Append(parts));
        return 0;
    }

    private static async Task<string> LineAsync(BenchmarkDatabase database, TimeSpan latency, int count)
    {
        var script = new FaultScript(keepsRequests: false).Status(201, "{\"id\":1}");
        await using var server = await FaultServer.StartAsync(
            latency > TimeSpan.Zero ? script.Delayed(latency) : script, new() { KeepsConnections = true });
        // A warm-up run, so that neither side is measured with unoptimized code.
        await SendAsync(server.Uri, count / 4);
        await DrainAsync(database, server, count / 4);
        // Alternating runs.
        List<Cost> memory = [], store = [];
        for (int pass = 0; pass < Passes; pass++)
        {
            memory.Add(await SendAsync(server.Uri, count));
            store.Add(await DrainAsync(database, server, count));
        }

        var (request, letter) = (Cost.Least(memory), Cost.Least(store));
        string answers = latency > TimeSpan.Zero ? Text($"after {latency.TotalMilliseconds:0} ms") : "at once";
        return Text($"| {database.Name} | {answers} | {1e6 / request.Time:N0}/s | {1e6 / letter.Time:N0}/s ")
            + Text($"| {request.Time / letter.Time:0.00} | {request.Cpu:0.0} µs | {letter.Cpu:0.0} µs ")
            + Text($"| {request.Bytes:N0} | {letter.Bytes:N0} |");
    }

    /// <summary>Requests of the client alone.</summary>
    private static async Task<Cost> SendAsync(Uri api, int count)
    {
        using var host = Build(api, _ => { });
        var client = host.Services.GetRequiredService<IHttpClientFactory>().CreateClient(Client);
        byte[] body = new byte[200];
        return await Cost.OfAsync(count, () => Parallel.ForEachAsync(
            Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (_, token) =>
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, "invoices") { Content = new ReadOnlyMemoryContent(body) };
                using var response = await client.SendAsync(request.WithIdempotencyKey(Guid.NewGuid().ToString()), token);
                response.EnsureSuccessStatusCode();
            }));
    }

    /// <summary>Letters, from the start of the worker until the last one is stored as replayed.</summary>
    private static async Task<Cost> DrainAsync(BenchmarkDatabase database, FaultServer server, int count)
    {
        await FillAsync(database, server.Uri, count);
        int expected = server.RequestCount + count;
        using var host = Build(server.Uri, services => services.AddHttpResilienceStorage(database.Use).AddDeadLetterReplay());
        var cost = await Cost.OfAsync(count, async () =>
        {
            await host.StartAsync();
            // Letters are counted in the database only after all requests have arrived, because counting costs time too.
            while (server.RequestCount < expected)
                await Task.Delay(5);
            while ((await database.Letters.CountAsync(CancellationToken.None))[DeadLetterStatus.Replayed] < count)
                await Task.Delay(5);
        });
        await host.StopAsync();
        return cost;
    }

    /// <summary>What of a letter the claim and the writing of its result take, each by itself and as many together as in a drain.</summary>
    private static async Task<string> PartsAsync(BenchmarkDatabase database, int count)
    {
        List<Cost> claims = [], results = [];
        for (int pass = 0; pass < Passes; pass++)
        {
            await FillAsync(database, new("http://127.0.0.1:1"), count);
            List<DeadLetter> letters = [];
            claims.Add(await Cost.OfAsync(count, async () =>
            {
                while (letters.Count < count)
                    letters.AddRange(await database.Letters.ClaimAsync(Claim(letters.Count), CancellationToken.None));
            }));
            results.Add(await Cost.OfAsync(count, () => Parallel.ForEachAsync(
                letters, new ParallelOptions { MaxDegreeOfParallelism = WrittenTogether }, async (letter, _) =>
                {
                    var result = letter with { Status = DeadLetterStatus.Replayed, Replays = 1, StatusCode = 201 };
                    if (!await database.Letters.UpdateAsync(result, CancellationToken.None))
                        throw new InvalidOperationException("A letter was taken over.");
                })));
        }

        var (claim, write) = (Cost.Least(claims), Cost.Least(results));
        return Text($"| {database.Name} | {claim.Cpu:0.0} µs | {claim.Bytes:N0} | {write.Cpu:0.0} µs | {write.Bytes:N0} |");

        static DeadLetterClaim Claim(int taken) => new()
        {
            Clients = [Client],
            Now = DateTimeOffset.UtcNow,
            LeaseUntil = DateTimeOffset.UtcNow + TimeSpan.FromMinutes(30),
            Limit = WrittenTogether,
            Only = taken == 0 ? null : new(Client, "http://127.0.0.1:1"),
        };
    }

    private static async Task FillAsync(BenchmarkDatabase database, Uri api, int count)
    {
        await database.ClearAsync();
        int next = 0;
        await Task.WhenAll(Enumerable.Range(0, 256).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Increment(ref next) <= count)
                await database.Letters.AddAsync(Letter(api), CancellationToken.None);
        })));
        await database.SettleAsync();
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

    /// <summary>Of one letter or request: microseconds, those of this process's processors, and bytes allocated.</summary>
    private readonly record struct Cost(double Time, double Cpu, double Bytes)
    {
        internal static async Task<Cost> OfAsync(int count, Func<Task> run)
        {
            GC.Collect();
            long began = Stopwatch.GetTimestamp(), bytes = GC.GetTotalAllocatedBytes();
            var cpu = Environment.CpuUsage.TotalTime;
            await run();
            return new(
                Stopwatch.GetElapsedTime(began).TotalMicroseconds / count,
                (Environment.CpuUsage.TotalTime - cpu).TotalMicroseconds / count,
                (double)(GC.GetTotalAllocatedBytes() - bytes) / count);
        }

        /// <summary>The least of each, because other work on the machine can only add to it.</summary>
        internal static Cost Least(IReadOnlyList<Cost> runs) =>
            new(runs.Min(r => r.Time), runs.Min(r => r.Cpu), runs.Min(r => r.Bytes));
    }
}
