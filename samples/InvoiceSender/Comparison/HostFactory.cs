namespace InvoiceSender;

/// <param name="alerts">Null: nobody but the log is told.</param>
internal delegate IHost HostFactory(ClientKind client, Uri? api, string? deadLetters, AlertWay? alerts, Action<ILoggingBuilder> configureLogging);
