namespace HttpResilience;

/// <summary>
/// The idempotency key of a letter as a header field: it keeps the name and the form of the earlier attempts, by which the API
/// recognizes it, whatever the settings of the replaying client are.
/// </summary>
internal static class LetterKey
{
    /// <summary>Whether a value is the key in its structured form (RFC 8941), which a letter keeps among its header fields.</summary>
    internal static bool IsQuoted(string value, string key) => value == IdempotencyKey.Quote(key);

    /// <summary>Whether a stored field is one that the key alone decides about.</summary>
    internal static bool IsField(string name, DeadLetter letter, IdempotencyPolicy? policy) =>
        letter.IdempotencyKey is not null
        && (name.Equals(letter.IdempotencyHeaderName, StringComparison.OrdinalIgnoreCase)
            || name.Equals(policy?.HeaderName, StringComparison.OrdinalIgnoreCase));

    /// <summary>The field that a replay sends.</summary>
    /// <param name="policy">That of the client; null when its requests get no keys.</param>
    /// <returns>Null when the letter has no key, or is from before the name was stored and the client has none.</returns>
    internal static KeyValuePair<string, string>? FieldOf(DeadLetter letter, IdempotencyPolicy? policy)
    {
        if (letter.IdempotencyKey is not { } key)
            return null;
        if (letter.IdempotencyHeaderName is { } name)
            return new(name, HasQuotedKey(letter) ? IdempotencyKey.Quote(key) : key);
        return policy is null ? null : new(policy.HeaderName, policy.Quoted ? IdempotencyKey.Quote(key) : key);
    }

    /// <summary>The header fields of a letter that replaces another one under a new key, in the form of the old one.</summary>
    internal static IReadOnlyList<KeyValuePair<string, string>> Renew(
        IReadOnlyList<KeyValuePair<string, string>> headers, DeadLetter old, string? newKey)
    {
        if (old.IdempotencyHeaderName is not { } name || newKey is null || !HasQuotedKey(old))
            return headers;
        return
        [
            .. headers.Where(h => !h.Key.Equals(name, StringComparison.OrdinalIgnoreCase)), new(name, IdempotencyKey.Quote(newKey)),
        ];
    }

    private static bool HasQuotedKey(DeadLetter letter) => letter.Headers.Any(h =>
        h.Key.Equals(letter.IdempotencyHeaderName, StringComparison.OrdinalIgnoreCase) && IsQuoted(h.Value, letter.IdempotencyKey!));
}
