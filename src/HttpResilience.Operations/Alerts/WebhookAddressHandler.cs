namespace HttpResilience.Operations;

/// <summary>
/// Replaces the placeholder by the address and adds id and signatures while a request is sent: address and signatures are secrets, so logs,
/// traces and stores see the request without them. The id is the idempotency key, the same for every attempt.
/// </summary>
internal sealed class WebhookAddressHandler(AlertSettings settings, TimeProvider time) : DelegatingHandler
{
    private static readonly string[] Own =
    [
        WebhookSignature.IdHeader, WebhookSignature.TimestampHeader, WebhookSignature.SignatureHeader, WebhookSignature.ObsoleteHeader,
    ];

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var placeholder = request.RequestUri!;
        var webhook = settings.Policy.Webhooks.FirstOrDefault(w => w.Placeholder == placeholder)
            ?? throw new InvalidOperationException(
                $"The webhook of {AlertWebhook.AuthorityOf(placeholder)} that this was for is not configured any more (Alerts:Webhooks).");
        await SignAsync(request, webhook, cancellationToken).ConfigureAwait(false);
        request.RequestUri = webhook.Url;
        try
        {
            return await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            request.RequestUri = placeholder;
            foreach (string header in Own)
                request.Headers.Remove(header);
        }
    }

    private async Task SignAsync(HttpRequestMessage request, AlertWebhook webhook, CancellationToken cancellationToken)
    {
        string id = request.Headers.TryGetValues(ConfigureAlertClient.KeyHeader, out var keys) ? keys.First()
            : Guid.CreateVersion7().ToString();
        long now = time.GetUtcNow().ToUnixTimeSeconds();
        request.Headers.TryAddWithoutValidation(WebhookSignature.IdHeader, id);
        request.Headers.TryAddWithoutValidation(WebhookSignature.TimestampHeader, WebhookSignature.Text(now));
        string[] secrets = [.. new[] { webhook.Secret, webhook.PreviousSecret }.OfType<string>()];
        if (secrets.Length == 0)
            return;
        byte[] body = await request.Content!.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
        request.Headers.TryAddWithoutValidation(
            WebhookSignature.SignatureHeader, WebhookSignature.Sign(secrets, id, now, body));
        request.Headers.TryAddWithoutValidation(
            WebhookSignature.ObsoleteHeader, WebhookSignature.SignObsolete(secrets[0], now, body));
    }

    // Alerts are sent by SendAsync, and letters are sent again by it.
    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
        throw new NotSupportedException();
}
