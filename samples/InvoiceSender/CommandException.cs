namespace InvoiceSender;

/// <summary>A user error; the message gives the reason in one sentence.</summary>
internal sealed class CommandException(string message, Exception? innerException = null) : Exception(message, innerException);
