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
internal static partial class LetterCause
{
    private const string RuleVersion = "1";
    private const int MaxTitle = 200, MaxSegment = 19, FingerprintBytes = 12;

    /// <summary>
    /// The first 12 bytes of the SHA-256 of what makes a group, in hexadecimal digits. Another rule needs another version, and a step of the
    /// schemas that empties the column.
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
        line = Quoted.Replace(line, q => q.Value.Any(char.IsAsciiDigit) ? "#" : q.Value);
        line = Changing.Replace(line, "#");
        return WhiteSpace.Replace(line, " ").Trim();
    }

    private static bool IsOfOneResource(string segment) =>
        segment.Length > MaxSegment || Guid.TryParse(segment, out _) || TwoDigits.IsMatch(segment);

    private static string TextOf(HttpStatusCode status)
    {
        using var response = new HttpResponseMessage(status);
        return response.ReasonPhrase ?? $"Status {(int)status}";
    }

    private static string WordsOf(string? exception) => exception is null ? "No reason is known"
        : Hump.Replace(exception.EndsWith("Exception", StringComparison.Ordinal) ? exception[..^9] : exception, " ").ToLowerInvariant();

    [GeneratedRegex("[0-9]{2}", RegexOptions.CultureInvariant)]
    private static partial Regex TwoDigits { get; }

    // The text between two of the same quotation marks.
    [GeneratedRegex(
        """'[^']{0,200}'|"[^"]{0,200}"|`[^`]{0,200}`|“[^”]{0,200}”|‘[^’]{0,200}’|«[^»]{0,200}»""", RegexOptions.CultureInvariant)]
    private static partial Regex Quoted { get; }

    // UUIDs, e-mail addresses, dates with times, runs of 8 and more hexadecimal digits that hold a digit, numbers. Each alternative is
    // bounded, because the text comes from a server.
    [GeneratedRegex(
        """
        [0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}
        |[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,190}
        |[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9:.]{2,18}(?:Z|[+-][0-9:]{2,5})?)?
        |\b(?=[A-Fa-f]{0,190}[0-9])[0-9A-Fa-f]{8,}\b
        |[+-]?[0-9](?:[0-9.,:/-]{0,190}[0-9])?
        """, RegexOptions.CultureInvariant | RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Changing { get; }

    [GeneratedRegex(@"\s+", RegexOptions.CultureInvariant)]
    private static partial Regex WhiteSpace { get; }

    [GeneratedRegex("(?<=[a-z0-9])(?=[A-Z])", RegexOptions.CultureInvariant)]
    private static partial Regex Hump { get; }
}
