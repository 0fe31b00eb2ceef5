namespace InvoiceSender;

/// <summary>What the command line asked for. Without <paramref name="Api"/> the program's own flaky API is the target.</summary>
/// <param name="Alerts">The webhook that alerts are sent to. Null: the program's own, if anybody is told.</param>
/// <param name="DeadLetters">Where what fails for good is kept. Null: nowhere, and the two clients are compared.</param>
internal sealed record SenderOptions(string Csv, Uri? Api, Uri? Alerts, int Seed, string? DeadLetters, bool Resume, bool Json, bool Verbose);
