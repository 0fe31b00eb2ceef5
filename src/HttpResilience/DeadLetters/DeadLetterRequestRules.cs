using System.Buffers;

namespace HttpResilience;

/// <summary>
/// Whether the request of a letter is valid in HTTP. An edited row may hold a line break in a header field, which would end the request
/// and begin another one with the client's credentials (RFC 9110 §5.5, RFC 9112 §11.2).
/// </summary>
internal static class DeadLetterRequestRules
{
    private static readonly SearchValues<char> EndsOfLines = SearchValues.Create("\r\n\0");

    /// <returns>The reason why the request cannot be sent; null when it can.</returns>
    internal static string? ProblemOf(DeadLetter letter)
    {
        if (!HttpToken.IsValid(letter.Method))
            return "its method is not one of HTTP";
        if (!HttpAuthority.IsHttp(letter.Uri))
            return "its URI is not an absolute http or https URI";
        if (letter.OriginalUri?.Any(c => c is <= ' ' or '\u007f') is true)
            return "its original URI has blanks or control characters";
        foreach (var (name, value) in letter.Headers)
        {
            if (!HttpToken.IsValid(name))
                return "a header field has a name that is not one of HTTP";
            if (value.AsSpan().ContainsAny(EndsOfLines))
                return $"the header field {name} has a line break";
        }

        if (letter.IdempotencyHeaderName is { } header && !DeadLetterRequest.MayCarryKey(header))
            return "the header field of its idempotency key has a name that cannot hold one";
        bool isKeyValid = letter.IdempotencyKey is not { } key || IdempotencyKey.IsValid(key);
        return isKeyValid ? null : "its idempotency key is not valid in a header field";
    }
}
