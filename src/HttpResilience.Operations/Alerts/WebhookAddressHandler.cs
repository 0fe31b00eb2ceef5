namespace HttpResilience.Operations;

/// <summary>
/// Replaces the placeholder by the address and adds the signature while a request is sent: both are secrets, so logs, traces and stores see
/// the request without them.
/// </summary>
internal sealed class WebhookAddressHandler(AlertSettings settings, TimeProvider time) : DelegatingHandler
{
    internal const string SignatureHeader = "X-HttpResilience-Signature";

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var placeholder = request.RequestUri!;
        var webhook = settings.Policy.Webhooks.FirstOrDefault(w => w.Placeholder == placeholder)
            ?? throw new InvalidOperationException(
                $"The webhook of {AlertWebhook.AuthorityOf(placeholder)} that this was for is not configured any more (Alerts:Webhooks).");
        if (webhook.Secret is { } secret)
        {
            byte[] body = await request.Content!.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
            request.Headers.TryAddWithoutValidation(SignatureHeader, AlertWebhook.Sign(secret, time.GetUtcNow().ToUnixTimeSeconds(), body));
        }

        request.RequestUri = webhook.Url;
        try
        {
            return await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            request.RequestUri = placeholder;
            request.Headers.Remove(SignatureHeader);
        }
    }

    // Alerts are sent by SendAsync, and letters are sent again by it.
    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
        throw new NotSupportedException();
}
