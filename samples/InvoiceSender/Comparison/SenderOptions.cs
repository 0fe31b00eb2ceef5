namespace InvoiceSender;

/// <summary>What the command line asked for. Without <paramref name="Api"/> the program's own flaky API is the target.</summary>
/// <param name="DeadLetters">Where what fails for good is kept. Null: nowhere, and the two clients are compared.</param>
internal sealed record SenderOptions(string Csv, Uri? Api, int Seed, string? DeadLetters, bool Resume, bool Json, bool Verbose);
