using System.Globalization;
using HttpResilience;
using Spectre.Console;

namespace InvoiceSender;

/// <summary>Sends the file once, with the resilient client, and keeps what fails for good.</summary>
internal sealed class KeepingRun(SenderOptions options, string store, HostFactory createHost, ProgressDisplay display)
{
    private const int PageSize = 500;
    private const int MaxRows = 20;

    public async Task<KeptReport> RunAsync(IReadOnlyList<Invoice> invoices, CancellationToken cancellationToken)
    {
        var begun = DateTimeOffset.UtcNow;
        await using var run = await SendingRun.StartAsync(ClientKind.Resilient, invoices.Count, options, createHost, cancellationToken);
        var report = await run.SendAsync(invoices, display, cancellationToken);
        var kept = await KeptAsync(run.Services.GetRequiredService<IDeadLetterReview>(), begun);
        var rows = kept.Select(letter => letter.Row).ToHashSet();
        return new()
        {
            Seed = options.Api is null ? options.Seed : null,
            Interrupted = cancellationToken.IsCancellationRequested,
            Invoices = invoices.Count,
            Accepted = report.Accepted,
            ElapsedSeconds = report.ElapsedSeconds,
            Store = store,
            Kept = kept,
            Lost = [.. report.BadData.Concat(report.Failed).Where(row => !rows.Contains(row.Row.ToString(CultureInfo.InvariantCulture)))],
            Stored = report.Server?.Stored,
            Duplicated = report.Server?.Duplicated,
        };
    }

    public static void Write(IAnsiConsole console, KeptReport report)
    {
        var pending = report.Kept.Where(letter => letter.Status is DeadLetterStatus.Pending).ToArray();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{(report.Seed is { } seed ? $"seed {seed}: " : "")}{report.Invoices} invoices, {report.Accepted} accepted, {report.Kept.Count} kept as dead letters, {report.Lost.Count} lost, in {report.ElapsedSeconds:F1} s"));
        if (report.Interrupted) Console.WriteLine("Interrupted: this is what was done so far.");
        foreach (var lost in report.Lost) Console.WriteLine($"Lost: row {lost.Row}, {lost.InvoiceNumber}: {lost.Reason}");
        if (report is { Stored: { } stored, Duplicated: { } twice }) Console.WriteLine(LedgerText.Of(stored, twice));
        if (report.Kept.Count == 0) return;

        LetterTable.Write(console, [.. report.Kept.Take(MaxRows)]);
        if (report.Kept.Count > MaxRows) Console.WriteLine($"and {report.Kept.Count - MaxRows} more.");
        Console.WriteLine($"They are in {report.Store}: {pending.Length} pending, {report.Kept.Count - pending.Length} for review.");
        Console.WriteLine($"Next: {Self.Command("dead-letters list", report.Store)}");
    }

    private static async Task<IReadOnlyList<DeadLetter>> KeptAsync(IDeadLetterReview review, DateTimeOffset since)
    {
        List<DeadLetter> all = [];
        var query = new DeadLetterQuery { Since = since, Limit = PageSize };
        while (await review.ListAsync(query) is { Count: > 0 } page)
        {
            all.AddRange(page);
            query = query with { Before = page[^1].Id };
        }

        return all;
    }
}
