namespace InvoiceSender;

internal delegate IHost HostFactory(ClientKind client, Uri api, Action<ILoggingBuilder> configureLogging);
