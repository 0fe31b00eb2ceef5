namespace InvoiceSender;

/// <summary>What the command line asked for. Without <paramref name="Api"/> the program's own flaky API is the target.</summary>
internal sealed record SenderOptions(string Csv, Uri? Api, int Seed, bool Json, bool Verbose);
