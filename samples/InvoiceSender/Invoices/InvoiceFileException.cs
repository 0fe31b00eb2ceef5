namespace InvoiceSender;

/// <summary>The file cannot be used as it is; the message tells the user why, in one sentence.</summary>
internal sealed class InvoiceFileException(string message, Exception? innerException = null) : Exception(message, innerException);
