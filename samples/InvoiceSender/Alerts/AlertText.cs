using System.Globalization;
using HttpResilience;

namespace InvoiceSender;

/// <summary>What was told of a run, line by line.</summary>
internal static class AlertText
{
    /// <param name="json">They are in the JSON; what keeps them from arriving goes to standard error in any case.</param>
    public static void Write(AlertReport? report, bool json)
    {
        if (report is null) return;

        foreach (var trouble in report.Trouble) Console.Error.WriteLine(trouble);
        if (json) return;

        Console.WriteLine($"Alerts {(report.Webhook is { } address ? $"for {address}" : "received")}: {report.Alerts.Count}");
        foreach (var alert in report.Alerts)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{alert.At.LocalDateTime:HH:mm:ss} {PhaseOf(alert)}: {alert.Title}"));
            Console.WriteLine($"         {alert.Detail}");
        }
    }

    private static string PhaseOf(Alert alert) => alert.Phase switch
    {
        AlertPhase.Started => "started",
        AlertPhase.Reminder => "still",
        _ => "over",
    };
}
