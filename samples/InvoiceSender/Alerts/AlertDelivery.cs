namespace InvoiceSender;

/// <summary>The receiver of a host's alerts: the webhook given with --alerts, or the program's own receiver.</summary>
internal sealed class AlertDelivery : IAsyncDisposable
{
    // Rules are evaluated as soon as a call succeeds again; this timeout covers the delivery of the notification.
    private static readonly TimeSpan WaitTimeout = TimeSpan.FromSeconds(5);

    private readonly AlertReceiver? _receiver;

    private AlertDelivery(AlertReceiver? receiver, AlertWebhookOptions webhook) => (_receiver, Webhook) = (receiver, webhook);

    public AlertWebhookOptions Webhook { get; }

    public AlertRecorder Recorder { get; } = new();

    public DeliveryFailureLog DeliveryFailures { get; } = new();

    /// <returns>Null without --alerts when the target is not the flaky API with its outage (--api, or --dead-letters).</returns>
    public static async Task<AlertDelivery?> OpenAsync(SenderOptions options, CancellationToken cancellationToken)
    {
        if (options.Alerts is { } url) return new(null, new() { Url = url });
        if (!options.Compares) return null;

        var receiver = await AlertReceiver.StartAsync(cancellationToken);
        return new(receiver, new() { Url = receiver.Address, Format = AlertWebhookFormat.Json });
    }

    public Task WaitUntilOverAsync(CancellationToken cancellationToken) => Recorder.WaitUntilOverAsync(WaitTimeout, cancellationToken);

    /// <summary>Complete once the host has stopped, because stopping delivers the pending alerts.</summary>
    public AlertReport Report() => new(_receiver is null ? Webhook.Url!.GetLeftPart(UriPartial.Authority) : null,
        _receiver?.Received ?? Recorder.All, DeliveryFailures.Messages);

    public ValueTask DisposeAsync() => _receiver?.DisposeAsync() ?? default;
}
