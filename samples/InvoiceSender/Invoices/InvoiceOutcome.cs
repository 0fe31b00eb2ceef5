namespace InvoiceSender;

internal enum InvoiceResult { Accepted, BadData, Failed }

/// <summary>How sending one invoice ended, and what it took.</summary>
internal sealed record InvoiceOutcome(Invoice Invoice, InvoiceResult Result, string? Reason, int Attempts, TimeSpan Elapsed);
