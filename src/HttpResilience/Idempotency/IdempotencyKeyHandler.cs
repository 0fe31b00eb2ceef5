namespace HttpResilience;

/// <summary>Gives each call whose method needs it one key, before the first attempt. A key that the caller set stays.</summary>
internal sealed class IdempotencyKeyHandler : ChainHandler
{
    protected override ValueTask<HttpResponseMessage> SendAsync(HttpRequestMessage request, HttpCall call, bool async, CancellationToken cancellationToken)
    {
        if (call.Policy.Idempotency is { } policy)
            call.IdempotencyKey = SetKey(request, call, policy);
        return NextAsync(request, call, async, cancellationToken);
    }

    private static string? SetKey(HttpRequestMessage request, HttpCall call, IdempotencyPolicy policy)
    {
        if (request.Headers.NonValidated is { Count: > 0 } headers && headers.TryGetValues(policy.HeaderName, out var values))
        {
            string given = values.ToString();
            IdempotencyKey.Validate(given);
            return given;
        }

        string? key = call.KeyOfRequest ?? (policy.AppliesTo(request.Method) ? call.KeyOfScope ?? IdempotencyKey.Create() : null);
        if (key is not null)
        {
            IdempotencyKey.Validate(key);
            request.Headers.TryAddWithoutValidation(policy.HeaderName, policy.Quoted ? IdempotencyKey.Quote(key) : key);
        }

        return key;
    }
}
