namespace InvoiceSender;

/// <summary>The parsed command line. Without <paramref name="Api"/> the program's own flaky API is the target.</summary>
/// <param name="Alerts">The webhook for alerts; null for the program's own receiver or none.</param>
/// <param name="DeadLetters">The file of the dead-letter store; null to compare the two clients instead.</param>
internal sealed record SenderOptions(
    string Csv, Uri? Api, Uri? Alerts, int Seed, string? DeadLetters, bool Resume, bool Json, bool Verbose);
