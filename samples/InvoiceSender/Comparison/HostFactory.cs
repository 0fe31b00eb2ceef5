namespace InvoiceSender;

/// <param name="name">The name of the client, below which appsettings.json may have settings for it.</param>
/// <param name="alerts">Null: alerts go to the log only.</param>
internal delegate IHost HostFactory(
    ClientKind client, string name, Uri? api, string? deadLetters, AlertDelivery? alerts, Action<ILoggingBuilder> configureLogging);
