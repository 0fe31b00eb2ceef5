namespace InvoiceSender;

/// <summary>The parsed command line. Without <paramref name="Api"/> the program's own flaky API is the target.</summary>
/// <param name="Keys">The comparisons to make, by the application's keys.</param>
/// <param name="Alerts">The webhook for alerts; null for the program's own receiver or none.</param>
/// <param name="DeadLetters">The file of the dead-letter store; null to send without it.</param>
internal sealed record SenderOptions(
    string Csv, Uri? Api, Uri? Alerts, int Seed, IReadOnlyList<InvoiceKeys> Keys, ComparisonSize Size, string? DeadLetters, bool Resume,
    bool Json, bool Verbose)
{
    /// <summary>Whether the clients are compared, at the program's own API; else the file is sent once, with the resilient one.</summary>
    public bool Compares => this is { Api: null, DeadLetters: null };
}
