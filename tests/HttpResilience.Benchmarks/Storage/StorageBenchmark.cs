using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace HttpResilience.Benchmarks;

/// <summary>What sharing commits is worth, and what a claim costs in a store of a million letters. Prints a Markdown table.</summary>
internal static class StorageBenchmark
{
    private const int Callers = 64;
    private const int Few = 1_000;
    private const int Passes = 3;

    internal static async Task<int> RunAsync(int many)
    {
        var table = new StringBuilder()
            .AppendLine(Text($"| store | one commit per letter | {Callers} callers share commits | ratio | claim, {Few:N0} letters | claim, {many:N0} letters | ratio | nearly all excepted |"))
            .AppendLine("|---|--:|--:|--:|--:|--:|--:|--:|");
        foreach (var kind in new Func<Task<BenchmarkDatabase>>[] { BenchmarkDatabase.SqliteAsync, BenchmarkDatabase.PostgreSqlAsync })
        {
            await using var database = await kind();
            table.AppendLine(await LineAsync(database, many));
            Console.Error.WriteLine(table);
        }

        Console.WriteLine(table);
        return 0;
    }

    private static async Task<string> LineAsync(BenchmarkDatabase database, int many)
    {
        // Taken in turns, the best of each: a neighbour on the machine can only make one slower.
        double alone = 0, together = 0;
        for (int pass = 0; pass < Passes; pass++)
        {
            alone = Math.Max(alone, await AddAsync(database.Letters, callers: 1));
            together = Math.Max(together, await AddAsync(database.Letters, Callers));
        }

        await database.ClearAsync();
        var now = DateTimeOffset.UtcNow;
        await FillAsync(database.Letters, 0, Few, now);
        await database.SettleAsync();
        double few = await ClaimAsync(database.Letters, now, []);
        await FillAsync(database.Letters, Few, many, now);
        await database.SettleAsync();
        double full = await ClaimAsync(database.Letters, now, []);
        double excepted = await ClaimAsync(database.Letters, now, [.. Enumerable.Range(0, Hosts - 1).Select(h => new DeadLetterDestination(Client, Host(h)))]);
        return Text($"| {database.Name} | {alone:N0}/s | {together:N0}/s | {together / alone:0.0} | {few * 1000:0.00} ms | {full * 1000:0.00} ms | {full / few:0.00} | {excepted * 1000:0.00} ms |");
    }

    /// <summary>Letters per second that are durable.</summary>
    private static async Task<double> AddAsync(IDeadLetterStore store, int callers)
    {
        long until = Stopwatch.GetTimestamp() + 2 * Stopwatch.Frequency;
        long began = Stopwatch.GetTimestamp();
        int[] added = await Task.WhenAll(Enumerable.Range(0, callers).Select(caller => Task.Run(async () =>
        {
            int count = 0;
            for (; Stopwatch.GetTimestamp() < until; count++)
                await store.AddAsync(Letter(count, DateTimeOffset.UtcNow), CancellationToken.None);
            return count;
        })));
        return added.Sum() / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    private static async Task FillAsync(IDeadLetterStore store, int from, int to, DateTimeOffset now)
    {
        int next = from;
        await Task.WhenAll(Enumerable.Range(0, 256).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Increment(ref next) is var n && n <= to)
                await store.AddAsync(Letter(n, now), CancellationToken.None);
        })));
    }

    /// <summary>The median time of a claim of ten letters, in seconds.</summary>
    private static async Task<double> ClaimAsync(IDeadLetterStore store, DateTimeOffset now, DeadLetterDestination[] except)
    {
        List<double> times = [];
        for (int i = 0; i < 60; i++)
        {
            long began = Stopwatch.GetTimestamp();
            var claimed = await store.ClaimAsync(new() { Clients = [Client], Now = now, LeaseUntil = now.AddHours(1), Limit = 10, Except = except }, CancellationToken.None);
            times.Add(Stopwatch.GetElapsedTime(began).TotalSeconds);
            // As they were, for the next: a store of a thousand would soon be empty.
            await Task.WhenAll(claimed.Select(l => store.UpdateAsync(l with { Status = DeadLetterStatus.Pending, DueAt = now.AddSeconds(-1) }, CancellationToken.None)));
            if (claimed.Count != 10)
                throw new InvalidOperationException($"{claimed.Count} letters were claimed");
        }

        times.Sort();
        return times[times.Count / 2];
    }

    private const int Hosts = 10;

    private const string Client = "billing";

    private static string Host(int host) => $"https://h{host}.example.com";

    private static DeadLetter Letter(int n, DateTimeOffset now) => new()
    {
        Id = Guid.CreateVersion7(),
        ClientName = Client,
        Method = "POST",
        Uri = new($"{Host(n % Hosts)}/invoices"),
        Headers = [new("Content-Type", "application/json"), new("Accept", "application/json")],
        Body = new byte[200],
        IdempotencyKey = Guid.NewGuid().ToString(),
        FailureClass = FailureClass.Transient,
        StopReason = StopReason.AttemptsExhausted,
        FirstFailedAt = now,
        LastFailedAt = now,
        Attempts = 4,
        Status = DeadLetterStatus.Pending,
        DueAt = now.AddSeconds(-(n % 3600)),
    };

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
