using System.Buffers;

namespace HttpResilience;

/// <summary>The token of RFC 9110 §5.6.2: what field names and methods are made of.</summary>
internal static class HttpToken
{
    private static readonly SearchValues<char> Characters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    internal static bool IsValid(string? text) => !string.IsNullOrEmpty(text) && !text.AsSpan().ContainsAnyExcept(Characters);
}
