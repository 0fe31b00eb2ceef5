namespace InvoiceSender;

/// <summary>What the API answers when it has stored an invoice.</summary>
internal sealed record Receipt(string Id, string InvoiceNumber);
