using System.Globalization;
using HttpResilience;
using Spectre.Console;

namespace InvoiceSender;

/// <summary>Prints the result of a run with <c>--dead-letters</c>.</summary>
internal static class DeadLetterRunText
{
    public static void Write(IAnsiConsole console, DeadLetterRunReport report)
    {
        var seed = report.Seed is { } number ? $"seed {number}: " : "";
        var notSent = report.NotSent > 0 ? $"{report.NotSent} not sent yet, " : "";
        var elapsed = string.Create(CultureInfo.InvariantCulture, $"{report.ElapsedSeconds:F1} s");
        Console.WriteLine($"{seed}{report.Invoices} invoices, {report.Accepted} accepted, {report.Letters.Count} dead letters, "
            + $"{report.Lost.Count} lost, {notSent}{LetterRunText.Count(report.Requests, "request")} in {elapsed}");
        if (report.StoppedBy is { } reason) Console.WriteLine($"Stopped early because every invoice would fail in the same way: {reason}");
        if (report is { Stored: { } stored, Duplicated: { } twice }) Console.WriteLine(LedgerText.Of(stored, twice));

        RowTable.Write(console, "Not accepted", report.Rows);
        RowTable.Write(console, "Lost: neither accepted nor stored as a dead letter", report.Lost);
        if (report.StatusFile is { } file) Console.WriteLine($"Status of each row: {file}");
        if (report.Interrupted || report.NotSent > 0) Console.WriteLine("Not finished. To continue, run the same command with --resume.");
        if (report.Letters.Count == 0) return;

        var pending = report.Letters.Count(letter => letter.Status is DeadLetterStatus.Pending);
        Console.WriteLine($"The dead letters are in {report.Store}: {pending} pending, {report.Letters.Count - pending} for review.");
        Console.WriteLine(LetterRunText.Tool(report.Store));
        Console.WriteLine($"To send what is due: {Self.Command("send-letters", report.Store)}");
    }
}
