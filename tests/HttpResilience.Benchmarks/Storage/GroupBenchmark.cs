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
    private const int Step = 50_000;

    internal static async Task<int> RunAsync(int atLeast)
    {
        int doublings = Math.Max(0, (int)Math.Ceiling(Math.Log2((double)atLeast / First)));
        int letters = First << doublings;
        var table = new StringBuilder()
            .AppendLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {letters:N0} letters | plain | groups | ratio | by status | 50 of a group | 50 of all | text: a step | all steps |"))
            .AppendLine("|---|--:|--:|--:|--:|--:|--:|--:|--:|");
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
        List<double> plain = [], groups = [], counts = [], ofGroup = [], ofAll = [], step = [], text = [];
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
            counts.Add(await TimeAsync(() => database.Letters.CountAsync(default)));
            Guid? before = null;
            step.Add(await TimeAsync(async () =>
                before = (await database.Letters.SearchAsync(page with { Text = "nowhere" }, Step, default)).Before));
            double steps = step[^1];
            while (before is not null)
            {
                var query = page with { Text = "nowhere", Before = before };
                steps += await TimeAsync(async () => before = (await database.Letters.SearchAsync(query, Step, default)).Before);
            }

            text.Add(steps);
        }

        return string.Create(CultureInfo.InvariantCulture,
            $"| {database.Name} | {Median(plain):0} ms | {Median(groups):0} ms | {Median(groups) / Median(plain):0.00} "
            + $"| {Median(counts):0} ms | {Median(ofGroup):0.00} ms | {Median(ofAll):0.00} ms "
            + $"| {Median(step):0} ms | {Median(text):0} ms |");
    }
}
