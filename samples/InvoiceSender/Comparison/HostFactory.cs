namespace InvoiceSender;

/// <param name="isCompared">True: the client has its default settings; false: those of appsettings.sending.json.</param>
/// <param name="sendsLetters">Whether the host sends dead letters when they are due.</param>
/// <param name="alerts">Null: alerts go to the log only.</param>
internal delegate IHost HostFactory(
    ClientKind client, bool isCompared, Uri? api, string? deadLetters, bool sendsLetters, AlertDelivery? alerts,
    Action<ILoggingBuilder> configureLogging);
