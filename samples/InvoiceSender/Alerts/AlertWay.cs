using HttpResilience;

namespace InvoiceSender;

/// <summary>The way of alerts out of a host: to the webhook of --alerts, or to a receiver of the program's own.</summary>
internal sealed class AlertWay : IAsyncDisposable
{
    // The watch looks at once when calls succeed again: this is for the notification itself.
    private static readonly TimeSpan WaitTimeout = TimeSpan.FromSeconds(5);

    private readonly AlertReceiver? _receiver;

    private AlertWay(AlertReceiver? receiver, AlertWebhookOptions webhook) => (_receiver, Webhook) = (receiver, webhook);

    public AlertWebhookOptions Webhook { get; }

    public ToldAlerts Told { get; } = new();

    public AlertTrouble Trouble { get; } = new();

    /// <returns>Null when nobody is told: a real API has its users' own alerts, and the story of dead letters has no outage.</returns>
    public static async Task<AlertWay?> OpenAsync(SenderOptions options, CancellationToken cancellationToken)
    {
        if (options.Alerts is { } url) return new(null, new() { Url = url });
        if (options is not { Api: null, DeadLetters: null }) return null;

        var receiver = await AlertReceiver.StartAsync(cancellationToken);
        return new(receiver, new() { Url = receiver.Address, Format = AlertWebhookFormat.Json });
    }

    public Task WaitUntilOverAsync(CancellationToken cancellationToken) => Told.WaitUntilOverAsync(WaitTimeout, cancellationToken);

    /// <summary>Complete once the host has stopped: what is in hand is delivered then.</summary>
    public AlertReport Report() => new(_receiver is null ? Webhook.Url!.GetLeftPart(UriPartial.Authority) : null, _receiver?.Received ?? Told.All, Trouble.Said);

    public ValueTask DisposeAsync() => _receiver?.DisposeAsync() ?? default;
}
