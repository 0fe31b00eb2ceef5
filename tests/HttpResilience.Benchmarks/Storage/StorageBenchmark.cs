using System.Diagnostics;
using System.Globalization;
using System.Text;
using static HttpResilience.Benchmarks.Cost;

namespace HttpResilience.Benchmarks;

/// <summary>Measures group commit, and the cost of a claim in a store of a million letters. Prints a Markdown table.</summary>
internal static class StorageBenchmark
{
    private const int Callers = 64;
    private const int Few = 1_000;
    private const int Passes = 3;
    private const int Claims = 200;
    private const int Hosts = 10;
    private const string Client = "billing";

    internal static async Task<int> RunAsync(int many)
    {
        var table = new StringBuilder()
            .Append(Text($"| store | one commit per letter | {Callers} callers share commits | ratio "))
            .AppendLine(Text($"| claim, {Few:N0} letters | claim, {many:N0} letters | ratio | nearly all excepted |"))
            .AppendLine("|---|--:|--:|--:|--:|--:|--:|--:|");
        foreach (var kind in new Func<Task<BenchmarkDatabase>>[] { BenchmarkDatabase.SqliteAsync, BenchmarkDatabase.PostgreSqlAsync })
        {
            table.AppendLine(await LineAsync(kind, many));
            Console.Error.WriteLine(table);
        }

        Console.WriteLine(table);
        return 0;
    }

    private static async Task<string> LineAsync(Func<Task<BenchmarkDatabase>> open, int many)
    {
        await using var database = await open();
        // Alternating runs, the best of each, because other work on the machine can only slow one down.
        double alone = 0, together = 0;
        for (int pass = 0; pass < Passes; pass++)
        {
            alone = Math.Max(alone, await AddAsync(database.Letters, callers: 1));
            together = Math.Max(together, await AddAsync(database.Letters, Callers));
        }

        // Both stores alternate on the same disk, so that other disk load affects both.
        await database.ClearAsync();
        await using var large = await open();
        var now = DateTimeOffset.UtcNow;
        await FillAsync(database.Letters, Few, now);
        await FillAsync(large.Letters, many, now);
        await database.SettleAsync();
        await large.SettleAsync();
        DeadLetterDestination[] except = [.. Enumerable.Range(0, Hosts - 1).Select(h => new DeadLetterDestination(Client, Host(h)))];
        List<double> few = [], full = [], excepted = [];
        for (int i = 0; i < Claims; i++)
        {
            few.Add(await ClaimAsync(database.Letters, now, []));
            full.Add(await ClaimAsync(large.Letters, now, []));
            excepted.Add(await ClaimAsync(large.Letters, now, except));
        }

        return Text($"| {database.Name} | {alone:N0}/s | {together:N0}/s | {together / alone:0.0} | {Median(few):0.00} ms ")
            + Text($"| {Median(full):0.00} ms | {Median(full) / Median(few):0.00} | {Median(excepted):0.00} ms |");
    }

    /// <summary>Durably stored letters per second.</summary>
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

    internal static async Task FillAsync(
        IDeadLetterStore store, int count, DateTimeOffset now, Func<DeadLetter, int, DeadLetter>? change = null)
    {
        int next = 0;
        await Task.WhenAll(Enumerable.Range(0, 256).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Increment(ref next) is var n && n <= count)
                await store.AddAsync(change?.Invoke(Letter(n, now), n) ?? Letter(n, now), CancellationToken.None);
        })));
    }

    /// <summary>Milliseconds for a durable claim of ten letters.</summary>
    internal static async Task<double> ClaimAsync(IDeadLetterStore store, DateTimeOffset now, DeadLetterDestination[] except)
    {
        long began = Stopwatch.GetTimestamp();
        var claimed = await store.ClaimAsync(
            new() { Clients = [Client], Now = now, LeaseUntil = now.AddHours(1), Limit = 10, Except = except }, CancellationToken.None);
        double took = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        if (claimed.Count != 10)
            throw new InvalidOperationException($"{claimed.Count} letters were claimed.");
        // The letters become due again; otherwise a store of a thousand would soon be empty.
        await Task.WhenAll(claimed.Select(
            l => store.UpdateAsync(l with { Status = DeadLetterStatus.Pending, DueAt = now.AddSeconds(-1) }, CancellationToken.None)));
        return took;
    }

    /// <summary>Milliseconds until an action ends.</summary>
    internal static async Task<double> TimeAsync(Func<Task> action)
    {
        long began = Stopwatch.GetTimestamp();
        await action();
        return Stopwatch.GetElapsedTime(began).TotalMilliseconds;
    }

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
