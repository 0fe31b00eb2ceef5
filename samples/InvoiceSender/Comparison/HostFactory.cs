namespace InvoiceSender;

/// <param name="isCompared">True: the client has its default settings; false: those of appsettings.sending.json.</param>
/// <param name="alerts">Null: alerts go to the log only.</param>
internal delegate IHost HostFactory(
    ClientKind client, bool isCompared, Uri? api, string? deadLetters, AlertDelivery? alerts, Action<ILoggingBuilder> configureLogging);
