using System.Net.Http.Headers;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Operations;

/// <summary>
/// Posts alerts to a webhook, through the alert client, each with its own idempotency key. An alert that was stored as a dead letter is
/// sent again only by the replay worker.
/// </summary>
/// <param name="letters">Null when there is no durable storage.</param>
internal sealed partial class WebhookAlertSink(AlertWebhook webhook, IHttpClientFactory clients, IDeadLetterStore? letters,
    TimeProvider time, ILogger logger) : IAlertSink
{
    internal const string LogCategory = AlertSinks.LogCategory;

    private static readonly MediaTypeHeaderValue Json = new("application/json") { CharSet = "utf-8" };

    /// <summary>The receiver rejects the alert, and would reject a retry.</summary>
    internal static bool IsFinal(Exception exception) => exception is HttpRequestException { StatusCode: { } status }
        && (int)status is 400 or 413 or 414 or 415 or 422;

    public async Task SendAsync(Alert alert, CancellationToken cancellationToken)
    {
        if (alert.Severity < webhook.MinimumSeverity)
            return;

        using var client = clients.CreateClient(AlertClient.Name);
        using var request = new HttpRequestMessage(HttpMethod.Post, webhook.Placeholder);
        (request.Version, request.VersionPolicy) = (client.DefaultRequestVersion, client.DefaultVersionPolicy);
        request.Content = new ByteArrayContent(AlertJson.Write(alert, webhook.Format));
        request.Content.Headers.ContentType = Json;
        request.WithIdempotencyKey(KeyOf(alert));
        try
        {
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken)
                .ConfigureAwait(false);
            if (!response.IsSuccessStatusCode && !IsKept(response.GetHttpCall()))
                throw new HttpRequestException($"The webhook of {webhook.Authority} answered {(int)response.StatusCode}.", null,
                    response.StatusCode);
        }
        catch (Exception e) when (IsKept(e.GetHttpCall()))
        {
            // The alert is stored as a dead letter.
        }
    }

    /// <summary>Stores alerts as dead letters when the host stops. One of them may have arrived, so it keeps its idempotency key.</summary>
    /// <returns>False when there is no durable storage.</returns>
    internal async Task<bool> KeepAsync(IReadOnlyList<Alert> alerts, CancellationToken cancellationToken)
    {
        if (letters is null)
            return false;
        foreach (var alert in alerts.Where(a => a.Severity >= webhook.MinimumSeverity))
            await letters.AddAsync(LetterOf(alert), cancellationToken).ConfigureAwait(false);
        return true;
    }

    private DeadLetter LetterOf(Alert alert) => new()
    {
        Id = Guid.CreateVersion7(time.GetUtcNow()),
        ClientName = AlertClient.Name,
        Method = HttpMethod.Post.Method,
        Uri = webhook.Placeholder,
        Headers = [new("Content-Type", Json.ToString())],
        Body = AlertJson.Write(alert, webhook.Format),
        IdempotencyKey = KeyOf(alert),
        FailureClass = FailureClass.Transient,
        StopReason = StopReason.Cancelled,
        MayHaveBeenProcessed = true,
        ErrorTitle = "The host has stopped before it was delivered",
        FirstFailedAt = time.GetUtcNow(),
        LastFailedAt = time.GetUtcNow(),
        Status = DeadLetterStatus.Pending,
        DueAt = time.GetUtcNow(),
    };

    private static string KeyOf(Alert alert) => $"{alert.Id}-{alert.Count}";

    private bool IsKept(HttpCall? call)
    {
        if (call?.DeadLetterId is not { } letter)
            return false;
        Kept(logger, webhook.Authority, letter);
        return true;
    }

    [LoggerMessage(707, LogLevel.Warning,
        "An alert could not be delivered to {Authority}; it is dead letter {DeadLetterId}, and sent again by the replay worker")]
    private static partial void Kept(ILogger logger, string authority, Guid deadLetterId);
}
