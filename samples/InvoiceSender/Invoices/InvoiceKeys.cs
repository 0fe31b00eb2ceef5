namespace InvoiceSender;

/// <summary>Whether the application sets the Idempotency-Key header.</summary>
internal enum InvoiceKeys
{
    /// <summary>To <see cref="Invoice.Key"/>.</summary>
    Application,

    /// <summary>No: a request has a key only if a handler makes one.</summary>
    None,
}

internal static class InvoiceKeysExtensions
{
    extension(InvoiceKeys keys)
    {
        public string Title => keys is InvoiceKeys.Application ? "application's keys" : "no application keys";

        public string Sentence => keys is InvoiceKeys.Application
            ? "The application sets an Idempotency-Key for each invoice"
            : "The application sets no Idempotency-Key";
    }
}
