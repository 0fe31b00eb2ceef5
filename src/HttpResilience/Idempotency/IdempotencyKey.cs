using System.Buffers;

namespace HttpResilience;

/// <summary>What an idempotency key may be, and how it stands in a header.</summary>
internal static class IdempotencyKey
{
    private const int MaxLength = 255;
    private static readonly SearchValues<char> Visible = SearchValues.Create([.. Enumerable.Range(0x20, 0x7F - 0x20).Select(c => (char)c)]);

    internal static string Create() => Guid.NewGuid().ToString();

    /// <exception cref="ArgumentException">The key cannot stand in a header, or is too long to be one.</exception>
    internal static void Validate(string key)
    {
        if (string.IsNullOrWhiteSpace(key))
            throw new ArgumentException("An idempotency key must not be empty.", nameof(key));
        if (key.Length > MaxLength)
            throw new ArgumentException($"An idempotency key may have up to {MaxLength} characters; this one has {key.Length}.", nameof(key));
        if (key.AsSpan().ContainsAnyExcept(Visible))
            throw new ArgumentException("An idempotency key may hold visible ASCII characters only: no line breaks, no control characters, nothing beyond ASCII.", nameof(key));
    }

    /// <summary>The key as a structured-field string (RFC 8941 §3.3.3).</summary>
    internal static string Quote(string key) => $"\"{key.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}
