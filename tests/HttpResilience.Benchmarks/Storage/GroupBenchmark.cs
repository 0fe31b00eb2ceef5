using System.Globalization;
using System.Text;
using static HttpResilience.Benchmarks.Cost;
using static HttpResilience.Benchmarks.StorageBenchmark;

namespace HttpResilience.Benchmarks;

/// <summary>
/// Measures what an operator looks at in a store of many letters: groups by cause, the letters of one, a search. Prints a Markdown table.
/// </summary>
internal static class GroupBenchmark
{
    private const int Passes = 15;
    private const int First = 1_000;
    private const int Causes = 12;

    internal static async Task<int> RunAsync(int atLeast)
    {
        int doublings = Math.Max(0, (int)Math.Ceiling(Math.Log2((double)atLeast / First)));
        int letters = First << doublings;
        var table = new StringBuilder()
            .AppendLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {letters:N0} letters | the plain query | groups | ratio | 50 of a group | 50 of all | text, found nowhere |"))
            .AppendLine("|---|--:|--:|--:|--:|--:|--:|");
        foreach (var kind in new Func<Task<BenchmarkDatabase>>[] { BenchmarkDatabase.SqliteAsync, BenchmarkDatabase.PostgreSqlAsync })
            table.AppendLine(await LineAsync(kind, doublings, letters));
        Console.WriteLine(table);
        return 0;
    }

    private static async Task<string> LineAsync(Func<Task<BenchmarkDatabase>> open, int doublings, int letters)
    {
        await using var database = await open();
        await StorageBenchmark.FillAsync(
            database.Letters, First, DateTimeOffset.UtcNow,
            (letter, n) => letter with { ErrorTitle = $"Cause {(char)('A' + (n % Causes))}" });
        await database.DoubleAsync(doublings);
        await database.SettleAsync();
        List<double> plain = [], groups = [], ofGroup = [], ofAll = [], text = [];
        for (int i = 0; i < Passes; i++)
        {
            plain.Add(await TimeAsync(() => database.CountByCauseAsync()));
            IReadOnlyList<DeadLetterGroup> found = [];
            groups.Add(await TimeAsync(async () => found = await database.Letters.GroupsAsync(new(), 200, default)));
            if (found.Count != Causes || found.Sum(g => g.Count) != letters)
                throw new InvalidOperationException($"{found.Count} groups of {found.Sum(g => g.Count)} letters.");
            var page = new DeadLetterQuery { OmitBodies = true };
            ofGroup.Add(await TimeAsync(() => database.Letters.ListAsync(page with { Fingerprint = found[0].Fingerprint }, default)));
            ofAll.Add(await TimeAsync(() => database.Letters.ListAsync(page, default)));
            text.Add(await TimeAsync(() => database.Letters.ListAsync(page with { Text = "nowhere" }, default)));
        }

        return string.Create(CultureInfo.InvariantCulture,
            $"| {database.Name} | {Median(plain):0} ms | {Median(groups):0} ms | {Median(groups) / Median(plain):0.00} "
            + $"| {Median(ofGroup):0.00} ms | {Median(ofAll):0.00} ms | {Median(text):0} ms |");
    }
}
