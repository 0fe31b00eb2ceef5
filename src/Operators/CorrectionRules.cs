using System.Buffers;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Xml;

namespace HttpResilience.Operators;

/// <summary>Applies a correction to a letter, or says which field of it is not valid.</summary>
internal static class CorrectionRules
{
    // Longer than any that is registered (RFC 9110 §16.1).
    private const int MaxMethod = 40;

    private static readonly SearchValues<char> EndsOfLines = SearchValues.Create("\r\n\0");

    // Each request gets its own; that of Host follows from the address, which is one of the allowed hosts.
    private static readonly string[] OfOneMessage =
    [
        "Connection", "Content-Length", "Expect", "Host", "HTTP2-Settings", "Keep-Alive", "Proxy-Connection", "TE", "Trailer",
        "Transfer-Encoding", "Upgrade",
    ];

    /// <param name="letter">The letter as it is.</param>
    /// <param name="request">What is to change.</param>
    /// <param name="hosts">The hosts that it may go to; null when they are not known here.</param>
    /// <param name="isSecret">Whether a header field of this name carries a secret.</param>
    /// <param name="problems">Gets what is not valid, by field.</param>
    internal static DeadLetter Apply(
        DeadLetter letter, ResubmitRequest request, IReadOnlyCollection<string>? hosts, Func<string, bool> isSecret,
        List<FilterProblem> problems)
    {
        ArgumentNullException.ThrowIfNull(letter);
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(isSecret);
        ArgumentNullException.ThrowIfNull(problems);
        var corrected = letter;
        if (request.Method is { } method)
        {
            corrected = corrected with { Method = method };
            if (!HttpToken.IsValid(method) || method.Length > MaxMethod)
                problems.Add(new("method", "It is not a method of HTTP."));
            else if (method.Equals("CONNECT", StringComparison.OrdinalIgnoreCase))
                problems.Add(new("method", "CONNECT opens a tunnel, which is no request to send again."));
        }

        if (request.Uri is { } address)
        {
            if (UriOf(letter, address, hosts, problems) is { } uri)
                corrected = corrected with { Uri = uri };
        }

        if (request.Headers?.Any(h => h is not { Name: not null, Value: not null }) is true)
        {
            problems.Add(new("headers", "Each is an object with name and value."));
        }
        else if (request.Headers is { } headers)
        {
            problems.AddRange(headers.Select(header => ProblemOf(header, letter, isSecret)).OfType<string>()
                .Select(problem => new FilterProblem("headers", problem)));
            if (headers.Count(h => h.Name.Equals("Content-Type", StringComparison.OrdinalIgnoreCase)) > 1)
                problems.Add(new("headers", "Content-Type is given more than once: a body has one."));
            corrected = corrected with { Headers = [.. headers.Select(h => KeyValuePair.Create(h.Name, h.Value))] };
        }

        return corrected with { Body = BodyOf(corrected, request, problems) };
    }

    private static Uri? UriOf(DeadLetter letter, string address, IReadOnlyCollection<string>? hosts, List<FilterProblem> problems)
    {
        // The characters that were sent stay when the address is the one that was shown.
        if (address == (letter.OriginalUri ?? letter.Uri.AbsoluteUri))
            return letter.Uri;
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || LetterHost.Of(uri) is not { } host)
            problems.Add(new("uri", "It is not an absolute http or https address without user-info."));
        else if (hosts?.Contains(host) is false)
            problems.Add(new("uri", $"Client {letter.ClientName} sends letters to {string.Join(", ", hosts)} only "
                + "(DeadLetter:AllowedAuthorities)."));
        else
            return uri;
        return null;
    }

    // One that the letter has is none, by the settings of its client, or holds its key.
    private static string? ProblemOf(HeaderModel header, DeadLetter letter, Func<string, bool> isSecret) =>
        !HttpToken.IsValid(header.Name) ? "One has a name that is not a token of HTTP."
        : OfOneMessage.Contains(header.Name, StringComparer.OrdinalIgnoreCase) && !IsOf(letter, header)
            ? $"{header.Name} is set when the letter is sent."
        : !letter.Headers.Any(h => h.Key.Equals(header.Name, StringComparison.OrdinalIgnoreCase))
            && (isSecret(header.Name) || letter.LeftOut.Contains(header.Name, StringComparer.OrdinalIgnoreCase))
            ? $"{header.Name} carries a secret, which no letter keeps: the client adds its own when the letter is sent."
        : header.Value.AsSpan().ContainsAny(EndsOfLines) ? $"{header.Name} has a line break."
        : null;

    // An application may send another Host than that of its address: what it sent stays.
    private static bool IsOf(DeadLetter letter, HeaderModel header) => header.Name.Equals("Host", StringComparison.OrdinalIgnoreCase)
        && letter.Headers.Any(h => h.Key.Equals(header.Name, StringComparison.OrdinalIgnoreCase) && h.Value == header.Value);

    private static ReadOnlyMemory<byte>? BodyOf(DeadLetter corrected, ResubmitRequest request, List<FilterProblem> problems)
    {
        int given = (request.Text is null ? 0 : 1) + (request.Body is null ? 0 : 1) + (request.NoBody ? 1 : 0);
        if (given > 1)
            problems.Add(new("body", "Only one of text, body and noBody can be given."));
        else if (request.Text is { } text)
            return BytesOf(text, LetterModel.ContentTypeOf(corrected), problems);
        else if (request.Body is { } base64)
            return BytesOf(base64, corrected, problems);
        else if (corrected.BodyIsMissing)
            problems.Add(new("body", "The body of this letter was not kept: give the one to send, as text or body."));
        return request.NoBody ? null : corrected.Body;
    }

    private static byte[]? BytesOf(string base64, DeadLetter corrected, List<FilterProblem> problems)
    {
        byte[] bytes = new byte[base64.Length];
        if (!Convert.TryFromBase64String(base64, bytes, out int count))
        {
            problems.Add(new("body", "It is not base64."));
            return null;
        }

        bytes = bytes[..count];
        _ = MediaTypeHeaderValue.TryParse(LetterModel.ContentTypeOf(corrected), out var type);
        // What is compressed, or in a character set that is not known here, cannot be read.
        if (!corrected.Headers.Any(h => h.Key.Equals("Content-Encoding", StringComparison.OrdinalIgnoreCase))
            && Charset.Find(type?.CharSet) is { } encoding && ProblemOf(bytes, encoding, type?.MediaType ?? "") is { } problem)
            problems.Add(new("body", problem));
        return bytes;
    }

    private static string? ProblemOf(byte[] bytes, Encoding encoding, string mediaType)
    {
        if (!IsJson(mediaType) && !IsXml(mediaType) && !IsForm(mediaType))
            return null;
        try
        {
            // A document may begin with the mark of its byte order.
            return ProblemOf(encoding.GetString(bytes).TrimStart('\ufeff'), mediaType);
        }
        catch (DecoderFallbackException)
        {
            return $"It has bytes that are no text in {encoding.WebName}, the character set of its content type.";
        }
    }

    private static byte[]? BytesOf(string text, string? contentType, List<FilterProblem> problems)
    {
        _ = MediaTypeHeaderValue.TryParse(contentType, out var type);
        if (ProblemOf(text, type?.MediaType ?? "") is { } problem)
            problems.Add(new("text", problem));
        if (Charset.Find(type?.CharSet) is not { } encoding)
        {
            problems.Add(new("text", $"The character set {type?.CharSet} of its content type is not known here: give the bytes, as body."));
            return null;
        }

        try
        {
            return encoding.GetBytes(text);
        }
        catch (EncoderFallbackException)
        {
            problems.Add(new("text", $"It has a character that {encoding.WebName} cannot express."));
        }

        return null;
    }

    private static string? ProblemOf(string text, string mediaType)
    {
        try
        {
            if (IsJson(mediaType))
            {
                using var document = JsonDocument.Parse(text);
            }
            else if (IsXml(mediaType))
            {
                using var reader = XmlReader.Create(new StringReader(text), new() { DtdProcessing = DtdProcessing.Prohibit });
                while (reader.Read())
                {
                }
            }
            else if (IsForm(mediaType) && IndexOfUnfit(text) is >= 0 and var index)
            {
                return $"It is not a form, as its content type says: character {index + 1} is to be written as % and two hexadecimal "
                    + "digits.";
            }
        }
        catch (JsonException e)
        {
            return $"It is not JSON, as its content type says: line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}.";
        }
        catch (XmlException e)
        {
            return $"It is not XML, as its content type says: line {e.LineNumber}, column {e.LinePosition}.";
        }

        return null;
    }

    internal static bool IsJson(string mediaType) => mediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
        || mediaType.EndsWith("+json", StringComparison.OrdinalIgnoreCase);

    private static bool IsXml(string mediaType) => mediaType.Equals("text/xml", StringComparison.OrdinalIgnoreCase)
        || mediaType.Equals("application/xml", StringComparison.OrdinalIgnoreCase)
        || mediaType.EndsWith("+xml", StringComparison.OrdinalIgnoreCase);

    private static bool IsForm(string mediaType) =>
        mediaType.Equals("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase);

    // Blanks, control characters and all beyond ASCII are escaped in a form, and each % begins an escape.
    private static int IndexOfUnfit(string form)
    {
        for (int i = 0; i < form.Length; i++)
        {
            if (form[i] is <= ' ' or >= '\u007f'
                || (form[i] == '%' && !(i + 2 < form.Length && char.IsAsciiHexDigit(form[i + 1]) && char.IsAsciiHexDigit(form[i + 2]))))
                return i;
        }

        return -1;
    }
}
