namespace InvoiceSender;

/// <summary>Prints the result of the command <c>send-letters</c>, and the commands that come next.</summary>
internal static class LetterRunText
{
    public static void Write(LetterRunReport report)
    {
        Console.WriteLine($"{Count(report.Sent, "letter")} sent, {report.Accepted} accepted.");
        if (report.Stored is { } stored) Console.WriteLine(LedgerText.Of(stored));
        Console.WriteLine($"In {report.Store}: {report.Waiting} pending, {report.Review} for review.");
        if (report.Elsewhere > 0)
            Console.WriteLine($"{Count(report.Elsewhere, "letter")} for another API: give it with --api URL.");
        if (report.Interrupted) Console.WriteLine("Not finished. To continue, run the same command.");
        if (report.Waiting + report.Review > 0) Console.WriteLine(Tool(report.Store));
    }

    /// <summary>The command that shows the letters of a store.</summary>
    public static string Tool(string store) =>
        $"To see, correct and replay them: http-resilience letters groups --store {Self.Quote(store)}";

    public static string Count(int number, string noun) => $"{number} {noun}{(number == 1 ? "" : "s")}";
}
