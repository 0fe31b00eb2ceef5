using System.Globalization;

namespace InvoiceSender;

/// <summary>Prints the alerts of a run, two lines for each.</summary>
internal static class AlertText
{
    /// <param name="json">True: the JSON report has the alerts, so only delivery failures are printed, to standard error.</param>
    public static void Write(AlertReport? report, bool json)
    {
        if (report is null) return;

        foreach (var failure in report.DeliveryFailures) Console.Error.WriteLine(failure);
        if (json) return;

        Console.WriteLine($"Alerts {(report.Webhook is { } address ? $"for {address}" : "received")}: {report.Alerts.Count}");
        foreach (var alert in report.Alerts)
        {
            Console.WriteLine(
                string.Create(CultureInfo.InvariantCulture, $"{alert.At.LocalDateTime:HH:mm:ss} {PhaseOf(alert)}: {alert.Title}"));
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
