using System.Collections.Frozen;
using System.Globalization;

namespace HttpResilience;

/// <summary>Converts a request to the fields of a letter, and a letter back to a request.</summary>
internal static class DeadLetterRequest
{
    // Fields of one message, one hop (RFC 9110 §7.6.1) or one span: each request gets its own.
    private static readonly FrozenSet<string> NotKept = FrozenSet.ToFrozenSet(
        [
            "Connection", "Content-Length", "Expect", "Host", "Keep-Alive", "TE", "Trailer", "Transfer-Encoding", "Upgrade",
            "traceparent", "tracestate", "Request-Id", "Correlation-Context", "baggage",
        ],
        StringComparer.OrdinalIgnoreCase);

    /// <summary>The stored header fields: without secrets, and without the idempotency key, which is stored separately.</summary>
    internal static List<KeyValuePair<string, string>> HeadersOf(in RequestSnapshot request, HttpCall call)
    {
        var redaction = call.Policy.Logging.Redaction;
        string? keyHeader = call.IdempotencyKey is null ? null : call.Policy.Idempotency?.HeaderName;
        var headers = new List<KeyValuePair<string, string>>();
        foreach (var (name, values) in request.Headers)
        {
            if (NotKept.Contains(name) || redaction.IsSecret(name) || name.Equals(keyHeader, StringComparison.OrdinalIgnoreCase))
                continue;
            foreach (string value in values)
                headers.Add(new(name, value));
        }

        return headers;
    }

    internal static Uri UriOf(Uri uri) => uri.UserInfo.Length == 0 ? uri : new UriBuilder(uri) { UserName = "", Password = "" }.Uri;

    internal static Dictionary<string, string> TagsOf(HttpCall call) =>
        call.Tags.Where(t => t.Value is not null).ToDictionary(t => t.Key, t => TextOf(t.Value));

    internal static string TextOf(object? value) => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";

    /// <summary>The letter of a call that finally failed.</summary>
    /// <param name="body">Null when it cannot be stored.</param>
    /// <param name="lacksCredentials">A replay would lack credentials that the request had.</param>
    /// <param name="canBeFound">The application can find out whether it has been processed.</param>
    internal static DeadLetter ToLetter(
        DeadLetterPolicy policy, in RequestSnapshot original, HttpCall call, in LetterFailure failure, ReadOnlyMemory<byte>? body,
        bool lacksCredentials, bool canBeFound)
    {
        bool isKeyed = call.IdempotencyKey is not null;
        var fate = LetterFate.Of(
            call.Policy.Retry, original.Method, isKeyed, call.MayHaveBeenProcessed, bodyIsMissing: body is null, canBeFound);
        fate = fate.After(failure.StatusCode, isKeyed || original.IsConditional) with { LacksCredentials = lacksCredentials };
        var decision = DeadLetterDecision.AfterFailure(call.FailureClass, fate, failure.RetryAfter, replays: 0, policy.MaxReplays);
        var now = call.Time.GetUtcNow();
        return new()
        {
            Id = Guid.CreateVersion7(now),
            ClientName = call.ClientName,
            Method = original.Method.Method,
            Uri = UriOf(original.Uri!),
            Headers = HeadersOf(original, call),
            Body = original.Content is null ? null : body,
            BodyIsMissing = fate.BodyIsMissing,
            IdempotencyKey = call.IdempotencyKey,
            Tenant = call.Tenant,
            Tags = TagsOf(call),
            FailureClass = call.FailureClass,
            StopReason = call.StopReason,
            MayHaveBeenProcessed = call.MayHaveBeenProcessed,
            StatusCode = failure.StatusCode,
            ErrorType = failure.ErrorType,
            ErrorTitle = failure.Title,
            ErrorDetail = failure.Detail,
            Attempts = call.AttemptCount,
            FirstFailedAt = now,
            LastFailedAt = now,
            Status = decision.Status,
            DueAt = now + decision.Delay,
            SuggestedAction = decision.SuggestedAction,
        };
    }

    /// <summary>The request of a letter. The client's own handlers and defaults add the secrets.</summary>
    /// <param name="redaction">Finds secret fields: those that were added to the stored row are not sent.</param>
    internal static HttpRequestMessage ToRequest(DeadLetter letter, Redaction redaction)
    {
        var request = new HttpRequestMessage(new HttpMethod(letter.Method), letter.Uri);
        if (letter.Body is { } body)
            request.Content = new ReadOnlyMemoryContent(body);
        foreach (var (name, value) in letter.Headers)
        {
            if (NotKept.Contains(name) || redaction.IsSecret(name))
                continue;
            if (!request.Headers.TryAddWithoutValidation(name, value))
                request.Content?.Headers.TryAddWithoutValidation(name, value);
        }

        request.Options.Set(
            ReplayedCall.Key, new(letter.Id, letter.FirstFailedAt, letter.MayHaveBeenProcessed, letter.Resolution is not null));
        if (letter.IdempotencyKey is { } key)
            request.WithIdempotencyKey(key);
        if (letter.Tenant is { } tenant)
            request.WithTenant(tenant);
        foreach (var (name, value) in letter.Tags)
            request.WithTag(name, value);
        return request;
    }
}
