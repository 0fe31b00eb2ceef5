using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>Logs everything but the body of a letter that the store has not confirmed, so that a person can resubmit it.</summary>
internal static partial class LostLetter
{
    /// <param name="id">That of the letter; null when it was not given to the store.</param>
    internal static void Log(
        ILogger logger, Exception exception, Guid? id, in RequestSnapshot original, HttpRequestMessage request, HttpCall call,
        in LetterFailure failure)
    {
        string path = call.Policy.Logging.Redaction.PathOf(request, call);
        string? tenant = call.Tenant is null ? null : Redaction.Clean(call.Tenant);
        string tags = string.Join(", ", DeadLetterRequest.TagsOf(call).Select(t => Redaction.Clean($"{t.Key}={t.Value}")));
        if (id is { } sent && MayBeStored(exception))
        {
            Uncertain(
                logger, exception, call.ClientName, original.Method.Method, original.Authority, path, sent, call.IdempotencyKey,
                tenant, tags, call.FailureClass, failure.StatusCode, failure.Title);
        }
        else
        {
            Lost(
                logger, exception, call.ClientName, original.Method.Method, original.Authority, path, call.IdempotencyKey, tenant, tags,
                call.FailureClass, failure.StatusCode, failure.Title);
        }
    }

    private static bool MayBeStored(Exception exception) => exception
        is HttpResilienceStorageException { MayHaveBeenMade: true } or OperationCanceledException or TimeoutException;

    [LoggerMessage(501, LogLevel.Critical,
        "{ClientName} {Method} {Authority}{Path}: dead letter could not be stored; resubmit it from the source. "
        + "Key {IdempotencyKey}, tenant {Tenant}, {Tags}. {FailureClass} {StatusCode} {Error}")]
    private static partial void Lost(
        ILogger logger, Exception exception, string clientName, string method, string authority, string path, string? idempotencyKey,
        string? tenant, string tags, FailureClass failureClass, int? statusCode, string? error);

    [LoggerMessage(571, LogLevel.Critical,
        "{ClientName} {Method} {Authority}{Path}: dead letter {DeadLetterId} may or may not have been stored; look for it, and resubmit it "
        + "from the source only if it is not there. Key {IdempotencyKey}, tenant {Tenant}, {Tags}. {FailureClass} {StatusCode} {Error}")]
    private static partial void Uncertain(
        ILogger logger, Exception exception, string clientName, string method, string authority, string path, Guid deadLetterId,
        string? idempotencyKey, string? tenant, string tags, FailureClass failureClass, int? statusCode, string? error);
}
