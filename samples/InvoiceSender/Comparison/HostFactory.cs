namespace InvoiceSender;

/// <param name="alerts">Null: alerts go to the log only.</param>
internal delegate IHost HostFactory(
    ClientKind client, Uri? api, string? deadLetters, AlertDelivery? alerts, Action<ILoggingBuilder> configureLogging);
