using System.Collections.Frozen;
using System.Globalization;

namespace HttpResilience;

/// <summary>Converts a request to the fields of a letter, and a letter back to a request.</summary>
internal static class DeadLetterRequest
{
    // Fields of one message, one hop (RFC 9110 §7.6.1) or one span: each request gets its own.
    private static readonly FrozenSet<string> NotKept = FrozenSet.ToFrozenSet(
        [
            "Connection", "Content-Length", "Expect", "Keep-Alive", "TE", "Trailer", "Transfer-Encoding", "Upgrade",
            "traceparent", "tracestate", "Request-Id", "Correlation-Context", "baggage",
        ],
        StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// The stored header fields: without those that are left out, and without the idempotency key, which is stored separately; only its
    /// structured form is kept as it was sent.
    /// </summary>
    internal static List<KeyValuePair<string, string>> HeadersOf(in RequestSnapshot request, HttpCall call, IReadOnlyList<string> leftOut)
    {
        string? keyHeader = KeyHeaderOf(call);
        var headers = new List<KeyValuePair<string, string>>();
        foreach (var (name, values) in request.Headers)
        {
            if (name.Equals(keyHeader, StringComparison.OrdinalIgnoreCase))
            {
                if (LetterKey.IsQuoted(values.ToString(), call.IdempotencyKey!))
                    headers.Add(new(name, values.ToString()));
                continue;
            }

            if (NotKept.Contains(name) || LeftOutRules.IsHeader(name, leftOut))
                continue;
            foreach (string value in values)
                headers.Add(new(name, value));
        }

        return headers;
    }

    /// <summary>The names of the secrets of a request, as in <see cref="DeadLetter.LeftOut"/>.</summary>
    internal static IReadOnlyList<string> SecretsOf(in RequestSnapshot request, HttpCall call) => LeftOutRules.Of(
        request.Uri,
        request.Headers.Where(h => !NotKept.Contains(h.Key)).SelectMany(h => h.Value.Select(value => KeyValuePair.Create(h.Key, value))),
        call.Policy.Logging.Redaction.Names, KeyHeaderOf(call));

    private static string? KeyHeaderOf(HttpCall call) => call.IdempotencyKey is null ? null : call.Policy.Idempotency?.HeaderName;

    internal static Dictionary<string, string> TagsOf(HttpCall call) =>
        call.Tags.Where(t => t.Value is not null).ToDictionary(t => t.Key, t => TextOf(t.Value));

    internal static string TextOf(object? value) => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";

    /// <summary>The letter of a call that finally failed.</summary>
    /// <param name="message">The message that was sent; the original does not hold its HTTP version.</param>
    /// <param name="body">Null when it cannot be stored.</param>
    /// <param name="leftOut">What the letter leaves out (<see cref="DeadLetter.LeftOut"/>).</param>
    /// <param name="lacks">The part of it that no handler adds again; null when there is none.</param>
    /// <param name="canBeFound">The application can find out whether it has been processed.</param>
    internal static DeadLetter ToLetter(
        DeadLetterPolicy policy, in RequestSnapshot original, HttpRequestMessage message, HttpCall call, in LetterFailure failure,
        ReadOnlyMemory<byte>? body, IReadOnlyList<string> leftOut, string? lacks, bool canBeFound)
    {
        var (uri, originalUri) = LetterUri.Of(original.Uri!, leftOut);
        bool isKeyed = call.IdempotencyKey is not null;
        var fate = LetterFate.Of(
            call.Policy.Retry, original.Method, isKeyed && call.Policy.KeyHoldsLater, call.MayHaveBeenProcessed,
            bodyIsMissing: body is null, canBeFound);
        fate = fate.After(failure.StatusCode, isKeyed || original.IsConditional) with { Lacks = lacks };
        var decision = DeadLetterDecision.AfterFailure(call.FailureClass, fate, failure.RetryAfter, replays: 0, policy.MaxReplays);
        var now = call.Time.GetUtcNow();
        return new()
        {
            Id = Guid.CreateVersion7(now),
            ClientName = call.ClientName,
            Method = original.Method.Method,
            Uri = uri,
            OriginalUri = originalUri,
            HttpVersion = message.Version,
            HttpVersionPolicy = message.VersionPolicy,
            ProtectedWith = policy.Protect ? "" : null,
            Headers = HeadersOf(original, call, leftOut),
            LeftOut = leftOut,
            Body = original.Content is null ? null : body,
            BodyIsMissing = fate.BodyIsMissing,
            IdempotencyKey = call.IdempotencyKey,
            IdempotencyHeaderName = call.IdempotencyKey is null ? null : call.Policy.Idempotency?.HeaderName,
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
    /// <param name="policy">
    /// That of the client. Its secret fields are not sent: they were added to the stored row, unless the letter is protected.
    /// </param>
    /// <param name="uri">That of the letter as it was sent, or one that a redirect led to.</param>
    /// <exception cref="ArgumentException">The key of the letter cannot be sent.</exception>
    internal static HttpRequestMessage ToRequest(DeadLetter letter, ResiliencePolicy policy, Uri uri)
    {
        var request = new HttpRequestMessage(new HttpMethod(letter.Method), uri);
        if (letter.Body is { } body)
            request.Content = new ReadOnlyMemoryContent(body);
        // Letters of the first version hold none, so it was added to the row.
        bool keepsHost = letter.HttpVersion is not null && new HttpAuthority(uri).Equals(new HttpAuthority(letter.Uri));
        foreach (var (name, value) in letter.Headers)
        {
            bool isAdded = letter.ProtectedWith is null && policy.Logging.Redaction.IsSecret(name);
            if (NotKept.Contains(name) || isAdded || LetterKey.IsField(name, letter, policy.Idempotency)
                || (!keepsHost && IsHost(name)))
                continue;
            if (!request.Headers.TryAddWithoutValidation(name, value))
                request.Content?.Headers.TryAddWithoutValidation(name, value);
        }

        var key = LetterKey.FieldOf(letter, policy.Idempotency);
        if (key is { } field)
            AddKey(request, field.Key, field.Value, letter.IdempotencyKey!);
        request.Options.Set(
            ReplayedCall.Key, new(letter.Id, letter.FirstFailedAt, letter.MayHaveBeenProcessed, letter.Resolution is not null)
            {
                IdempotencyKey = key is null ? null : letter.IdempotencyKey,
                KeyHeaderName = key?.Key,
                Uri = LetterUri.AsSent(letter),
                // The target of a redirect has its own query.
                LeftOut = uri == LetterUri.AsSent(letter) ? letter.LeftOut
                    : [.. letter.LeftOut.Where(item => !LeftOutRules.IsParameter(item, out _))],
                LacksParameters = letter.LeftOut.Any(item => LeftOutRules.IsParameter(item, out _)),
            });
        if (letter.Tenant is { } tenant)
            request.WithTenant(tenant);
        foreach (var (name, value) in letter.Tags)
            request.WithTag(name, value);
        return request;
    }

    /// <summary>The name of a virtual host, which belongs to the host that was asked.</summary>
    internal static bool IsHost(string header) => header.Equals("Host", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether a header field of this name can hold the key of a request.</summary>
    internal static bool MayCarryKey(string name) =>
        HttpToken.IsValid(name) && HttpToken.IsRequestHeader(name) && !NotKept.Contains(name) && !IsHost(name);

    private static void AddKey(HttpRequestMessage request, string name, string value, string key)
    {
        IdempotencyKey.Validate(key);
        if (!MayCarryKey(name) || !request.Headers.TryAddWithoutValidation(name, value))
            throw new ArgumentException($"'{Redaction.Clean(name)}' cannot be the header field of an idempotency key.", nameof(name));
    }
}
