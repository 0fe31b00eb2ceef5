using System.Globalization;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using static HttpResilience.Benchmarks.Cost;
using static HttpResilience.Benchmarks.StorageBenchmark;

namespace HttpResilience.Benchmarks;

/// <summary>
/// Measures a health check with its probe, and a count, beside a claim in a store of many letters. Prints a Markdown table.
/// </summary>
internal static class HealthBenchmark
{
    private const int Passes = 50;
    private const int First = 1_000;

    internal static async Task<int> RunAsync(int atLeast)
    {
        int doublings = Math.Max(0, (int)Math.Ceiling(Math.Log2((double)atLeast / First)));
        int letters = First << doublings;
        var table = new StringBuilder()
            .AppendLine(string.Create(
                CultureInfo.InvariantCulture, $"| {letters:N0} letters | claim | health check | ratio | count | ratio |"))
            .AppendLine("|---|--:|--:|--:|--:|--:|");
        foreach (var kind in new Func<Task<BenchmarkDatabase>>[] { BenchmarkDatabase.SqliteAsync, BenchmarkDatabase.PostgreSqlAsync })
            table.AppendLine(await LineAsync(kind, doublings, letters));
        Console.WriteLine(table);
        return 0;
    }

    private static async Task<string> LineAsync(Func<Task<BenchmarkDatabase>> open, int doublings, int letters)
    {
        await using var database = await open();
        var now = DateTimeOffset.UtcNow;
        await StorageBenchmark.FillAsync(database.Letters, First, now);
        await database.DoubleAsync(doublings);
        await database.SettleAsync();
        var clock = new ManualTimeProvider();
        await using var services = new ServiceCollection().AddLogging().AddSingleton<TimeProvider>(clock)
            .AddHttpResilienceStorage(database.Use).AddHealthChecks().AddHttpResilience().Services.BuildServiceProvider();
        var health = services.GetRequiredService<HealthCheckService>();
        List<double> claims = [], checks = [], counts = [];
        for (int i = 0; i < Passes; i++)
        {
            claims.Add(await StorageBenchmark.ClaimAsync(database.Letters, now, []));
            // Each check probes the store.
            clock.Advance(TimeSpan.FromSeconds(10));
            checks.Add(await TimeAsync(async () =>
                Expect((await health.CheckHealthAsync()).Entries.Single().Value.Data["storage"], "reachable")));
            counts.Add(await TimeAsync(async () =>
                Expect((await database.Letters.CountAsync(default))[DeadLetterStatus.Pending], (long)letters)));
        }

        return string.Create(CultureInfo.InvariantCulture,
            $"| {database.Name} | {Median(claims):0.00} ms | {Median(checks):0.00} ms | {Median(checks) / Median(claims):0.00} "
            + $"| {Median(counts):0.00} ms | {Median(counts) / Median(claims):0.00} |");
    }

    private static void Expect(object actual, object expected)
    {
        if (!actual.Equals(expected))
            throw new InvalidOperationException($"{actual} instead of {expected}.");
    }
}
