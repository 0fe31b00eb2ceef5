namespace InvoiceSender;

/// <summary>What the user asked for cannot be done; the message says why, in one sentence.</summary>
internal sealed class CommandException(string message, Exception? innerException = null) : Exception(message, innerException);
