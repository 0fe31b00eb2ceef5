using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace HttpResilience;

/// <summary>
/// The cause of a letter: letters of one client, method, route, class, status and reason are one group, whatever ids and numbers are in
/// them.
/// </summary>
internal static class LetterCause
{
    private const string RuleVersion = "1";
    private const int MaxTitle = 200, MaxSegment = 19, FingerprintBytes = 12;

    // The text comes from a server: none of these goes back in it.
    private const RegexOptions Safe = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture;

    private static readonly Regex Quoted = new(
        """'[^']*'|"[^"]*"|`[^`]*`|“[^”]*”|‘[^’]*’|«[^»]*»""", Safe);

    // UUIDs, e-mail addresses, dates with times, hexadecimal numbers, numbers.
    private static readonly Regex Changing = new(
        "[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}|[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+"
        + "|[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]*[0-9](Z|[+-][0-9:]+)?|\\b[0-9A-Fa-f]{8,}\\b|[+-]?[0-9]([0-9.,:/-]*[0-9])?", Safe);

    private static readonly Regex WhiteSpace = new("\\s+", Safe);

    /// <summary>
    /// The first 12 bytes of the SHA-256 of what makes a group, in hexadecimal digits. Another rule needs another version, and a step of
    /// the schemas that empties the column.
    /// </summary>
    internal static string FingerprintOf(DeadLetter letter)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        string status = letter.StatusCode is { } code ? $"{code}" : letter.ErrorType ?? "";
        ReadOnlySpan<string> parts =
            [RuleVersion, letter.ClientName, letter.Method, RouteOf(letter), $"{letter.FailureClass}", status, TitleOf(letter)];
        Span<byte> length = stackalloc byte[sizeof(int)];
        foreach (string part in parts)
        {
            // With its length in front, so that no part runs into the next.
            byte[] bytes = Encoding.UTF8.GetBytes(part);
            BinaryPrimitives.WriteInt32BigEndian(length, bytes.Length);
            hash.AppendData(length);
            hash.AppendData(bytes);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, FingerprintBytes));
    }

    /// <summary>
    /// The path with <c>{id}</c> in the place of each segment that names one resource: a UUID, one with two digits in a row, or a long one.
    /// The tag <c>url.template</c> takes its place. Never the query.
    /// </summary>
    internal static string RouteOf(DeadLetter letter) => letter.Tags.TryGetValue("url.template", out string? template)
        ? template : string.Join('/', letter.Uri.AbsolutePath.Split('/').Select(s => IsOfOneResource(s) ? "{id}" : s));

    /// <summary>
    /// The first line of the reason with <c>#</c> in the place of what differs from letter to letter; without a reason the text of the
    /// status, or the type of the exception in words.
    /// </summary>
    internal static string TitleOf(DeadLetter letter)
    {
        if (letter.ErrorTitle is not { } title || string.IsNullOrWhiteSpace(title))
            return letter.StatusCode is { } code ? TextOf((HttpStatusCode)code) : WordsOf(letter.ErrorType);
        string line = title.TrimStart().Split('\r', '\n')[0];
        line = line[..Math.Min(line.Length, MaxTitle)];
        line = Quoted.Replace(line, HashIfItHasDigits);
        line = Changing.Replace(line, HashIfItHasDigits);
        return WhiteSpace.Replace(line, " ").Trim();
    }

    private static bool IsOfOneResource(string segment) =>
        segment.Length > MaxSegment || Guid.TryParse(segment, out _)
            || segment.Zip(segment.Skip(1), (one, next) => char.IsAsciiDigit(one) && char.IsAsciiDigit(next)).Any(both => both);

    // A run of hexadecimal digits without any of 0 to 9 is a word; an address is always another one.
    private static string HashIfItHasDigits(Match match) =>
        match.Value.Any(char.IsAsciiDigit) || match.Value.Contains('@') ? "#" : match.Value;

    private static string TextOf(HttpStatusCode status)
    {
        using var response = new HttpResponseMessage(status);
        return response.ReasonPhrase ?? $"Status {(int)status}";
    }

    // Camel case as words.
    private static string WordsOf(string? exception)
    {
        if (exception is null)
            return "No reason is known";
        string name = exception[(exception.LastIndexOf('.') + 1)..];
        var words = new StringBuilder();
        foreach (char c in name.EndsWith("Exception", StringComparison.Ordinal) ? name[..^"Exception".Length] : name)
        {
            if (char.IsAsciiLetterUpper(c) && words.Length > 0 && words[^1] != ' ' && !char.IsAsciiLetterUpper(words[^1]))
                words.Append(' ');
            words.Append(c);
        }

        return words.ToString();
    }
}
