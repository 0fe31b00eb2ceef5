namespace InvoiceSender;

internal delegate IHost HostFactory(ClientKind client, Uri? api, string? deadLetters, Action<ILoggingBuilder> configureLogging);
