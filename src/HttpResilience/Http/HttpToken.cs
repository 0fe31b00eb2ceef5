using System.Buffers;

namespace HttpResilience;

/// <summary>The token of RFC 9110 §5.6.2: the syntax of field names and methods.</summary>
internal static class HttpToken
{
    /// <summary>The token as a regular expression.</summary>
    internal const string Pattern = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$";

    private static readonly SearchValues<char> Characters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    /// <summary>Whether the name is valid for a request header; content headers such as <c>Content-Type</c> are not.</summary>
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
