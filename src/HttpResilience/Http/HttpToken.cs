using System.Buffers;

namespace HttpResilience;

/// <summary>The token of RFC 9110 §5.6.2: what field names and methods are made of.</summary>
internal static class HttpToken
{
    /// <summary>The token as a regular expression.</summary>
    internal const string Pattern = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$";

    private static readonly SearchValues<char> Characters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    /// <summary>
    /// The name is one of a request header. Those of the body, such as <c>Content-Type</c>, stand elsewhere and cannot be set on the
    /// request.
    /// </summary>
    internal static bool IsRequestHeader(string? name)
    {
        if (!IsValid(name))
            return false;
        using var request = new HttpRequestMessage();
        return request.Headers.TryAddWithoutValidation(name!, "");
    }

    internal static bool IsValid(string? text) => IsValid(text.AsSpan());

    internal static bool IsValid(ReadOnlySpan<char> text) => !text.IsEmpty && !text.ContainsAnyExcept(Characters);
}
