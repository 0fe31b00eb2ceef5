namespace InvoiceSender;

/// <summary>The API's response to a stored invoice.</summary>
internal sealed record Receipt(string Id, string InvoiceNumber);
