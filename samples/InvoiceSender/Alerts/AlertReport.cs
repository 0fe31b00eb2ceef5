namespace InvoiceSender;

/// <summary>The alerts of a run and the webhook they were sent to.</summary>
/// <param name="Webhook">Scheme, host and port of the webhook given with --alerts (its path is a secret);
/// null for the program's own receiver.</param>
/// <param name="Alerts">The alerts that the program's own receiver got or, with --alerts, the alerts that were raised.</param>
/// <param name="DeliveryFailures">The log messages about alerts that were not delivered.</param>
internal sealed record AlertReport(string? Webhook, IReadOnlyList<Alert> Alerts, IReadOnlyList<string> DeliveryFailures)
{
    /// <returns>The alerts of several runs as one report; null when none had alerts.</returns>
    public static AlertReport? Join(IReadOnlyList<AlertReport> reports) => reports is [var first, ..]
        ? first with
        {
            Alerts = [.. reports.SelectMany(report => report.Alerts)],
            DeliveryFailures = [.. reports.SelectMany(report => report.DeliveryFailures)],
        }
        : null;
}
