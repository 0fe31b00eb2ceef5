using HttpResilience;

namespace InvoiceSender;

/// <summary>What was told of a run, and to whom.</summary>
/// <param name="Webhook">Scheme, host and port of the webhook of --alerts, whose path is a secret. Null: the program's own receiver.</param>
/// <param name="Alerts">What came in there; for --alerts, what there was to send.</param>
/// <param name="Trouble">What the log says about those that did not arrive.</param>
internal sealed record AlertReport(string? Webhook, IReadOnlyList<Alert> Alerts, IReadOnlyList<string> Trouble);
