using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace HttpResilience;

/// <summary>Validates idempotency keys and reads and writes them as header values.</summary>
internal static class IdempotencyKey
{
    private const int MaxLength = 255;
    private static readonly SearchValues<char> Visible = SearchValues.Create([.. Enumerable.Range(0x20, 0x7F - 0x20).Select(c => (char)c)]);

    internal static string Create() => Guid.NewGuid().ToString();

    /// <summary>Whether <see cref="Validate"/> accepts the key.</summary>
    internal static bool IsValid(string key) => ProblemOf(key) is null;

    /// <exception cref="ArgumentException">The key is not valid in a header, or too long.</exception>
    internal static void Validate(string key)
    {
        if (ProblemOf(key) is { } problem)
            throw new ArgumentException(problem, nameof(key));
    }

    private static string? ProblemOf(string key)
    {
        if (string.IsNullOrWhiteSpace(key))
            return "An idempotency key must not be empty.";
        if (key.Length > MaxLength)
            return $"An idempotency key may have up to {MaxLength} characters; this one has {key.Length}.";
        if (key.AsSpan().ContainsAnyExcept(Visible))
        {
            return "An idempotency key may contain visible ASCII characters only: "
                + "no line breaks, control characters or non-ASCII characters.";
        }

        // Leading and trailing blanks are not part of a field value (RFC 9110 §5.5): the server could not tell two such keys apart.
        return key[0] == ' ' || key[^1] == ' ' ? "An idempotency key must not begin or end with a blank." : null;
    }

    /// <summary>The key in a header that the caller set.</summary>
    /// <param name="quoted">The header may have the structured form (RFC 8941), as when the chain sets it.</param>
    /// <exception cref="ArgumentException">The key is empty or too long.</exception>
    internal static string FromHeader(string value, bool quoted)
    {
        string given = value.Trim(' ', '\t');
        Validate(given);
        return quoted && TryUnquote(given, out string? key) && !string.IsNullOrWhiteSpace(key) ? key : given;
    }

    private static bool TryUnquote(string text, [NotNullWhen(true)] out string? key)
    {
        key = null;
        if (text.Length < 2 || text[0] != '"' || text[^1] != '"')
            return false;
        string inside = text[1..^1].Replace("\\\\", "\\", StringComparison.Ordinal).Replace("\\\"", "\"", StringComparison.Ordinal);
        key = Quote(inside) == text ? inside : null;
        return key is not null;
    }

    /// <summary>The key as a structured-field string (RFC 8941 §3.3.3).</summary>
    internal static string Quote(string key) =>
        $"\"{key.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}
