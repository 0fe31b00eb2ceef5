using System.Buffers;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Xml;

namespace HttpResilience.AspNetCore;

/// <summary>Applies a correction to a letter, or says which field of it is not valid.</summary>
internal static class CorrectionRules
{
    // Longer than any that is registered (RFC 9110 §16.1).
    private const int MaxMethod = 40;

    private static readonly SearchValues<char> EndsOfLines = SearchValues.Create("\r\n\0");

    // Each request gets its own.
    private static readonly string[] OfOneMessage =
        ["Connection", "Content-Length", "Expect", "Keep-Alive", "TE", "Trailer", "Transfer-Encoding", "Upgrade"];

    /// <param name="letter">The letter as it is.</param>
    /// <param name="request">What is to change.</param>
    /// <param name="hosts">The hosts that it may go to.</param>
    /// <exception cref="ApiProblemException">422, with the fields that are not valid.</exception>
    internal static DeadLetter Apply(DeadLetter letter, ResubmitRequest request, IReadOnlyCollection<string> hosts)
    {
        List<FilterProblem> problems = [];
        var corrected = letter;
        if (request.Method is { } method)
        {
            corrected = corrected with { Method = method };
            if (!HttpToken.IsValid(method) || method.Length > MaxMethod)
                problems.Add(new("method", "It is not a method of HTTP."));
        }

        if (request.Uri is { } address)
        {
            if (UriOf(letter, address, hosts, problems) is { } uri)
                corrected = corrected with { Uri = uri };
        }

        if (request.Headers is { } headers)
        {
            problems.AddRange(headers.Select(ProblemOf).OfType<string>().Select(problem => new FilterProblem("headers", problem)));
            corrected = corrected with { Headers = [.. headers.Select(h => KeyValuePair.Create(h.Name, h.Value))] };
        }

        corrected = corrected with { Body = BodyOf(corrected, request, problems) };
        return problems.Count == 0 ? corrected : throw ApiProblemException.NotValid(problems);
    }

    private static Uri? UriOf(DeadLetter letter, string address, IReadOnlyCollection<string> hosts, List<FilterProblem> problems)
    {
        // The characters that were sent stay when the address is the one that was shown.
        if (address == (letter.OriginalUri ?? letter.Uri.AbsoluteUri))
            return letter.Uri;
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || LetterHost.Of(uri) is not { } host)
            problems.Add(new("uri", "It is not an absolute http or https address without user-info."));
        else if (!hosts.Contains(host))
            problems.Add(new("uri", $"Client {letter.ClientName} sends letters to {string.Join(", ", hosts)} only "
                + "(DeadLetter:AllowedAuthorities)."));
        else
            return uri;
        return null;
    }

    private static string? ProblemOf(HeaderModel header) =>
        !HttpToken.IsValid(header.Name) ? "One has a name that is not a token of HTTP."
        : OfOneMessage.Contains(header.Name, StringComparer.OrdinalIgnoreCase) ? $"{header.Name} is set when the letter is sent."
        : header.Value.AsSpan().ContainsAny(EndsOfLines) ? $"{header.Name} has a line break."
        : null;

    private static ReadOnlyMemory<byte>? BodyOf(DeadLetter corrected, ResubmitRequest request, List<FilterProblem> problems)
    {
        int given = (request.Text is null ? 0 : 1) + (request.Body is null ? 0 : 1) + (request.NoBody ? 1 : 0);
        if (given > 1)
            problems.Add(new("body", "Only one of text, body and noBody can be given."));
        else if (request.Text is { } text)
            return BytesOf(text, LetterModel.ContentTypeOf(corrected), problems);
        else if (request.Body is { } base64)
            return BytesOf(base64, problems);
        else if (corrected.BodyIsMissing)
            problems.Add(new("body", "The body of this letter was not kept: give the one to send, as text or body."));
        return request.NoBody ? null : corrected.Body;
    }

    private static byte[]? BytesOf(string base64, List<FilterProblem> problems)
    {
        byte[] bytes = new byte[base64.Length];
        if (Convert.TryFromBase64String(base64, bytes, out int count))
            return bytes[..count];
        problems.Add(new("body", "It is not base64."));
        return null;
    }

    private static byte[]? BytesOf(string text, string? contentType, List<FilterProblem> problems)
    {
        _ = MediaTypeHeaderValue.TryParse(contentType, out var type);
        if (ProblemOf(text, type?.MediaType ?? "") is { } problem)
            problems.Add(new("text", problem));
        string charset = type?.CharSet?.Trim('"') is { Length: > 0 } named ? named : "utf-8";
        try
        {
            return Encoding.GetEncoding(charset, EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback).GetBytes(text);
        }
        catch (EncoderFallbackException)
        {
            problems.Add(new("text", $"It has a character that {charset} cannot express."));
        }
        catch (ArgumentException)
        {
            problems.Add(new("text", $"The character set {charset} of its content type is not known here: give the bytes, as body."));
        }

        return null;
    }

    private static string? ProblemOf(string text, string mediaType)
    {
        bool isXml = mediaType is "text/xml" or "application/xml" || mediaType.EndsWith("+xml", StringComparison.OrdinalIgnoreCase);
        bool isJson = mediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            || mediaType.EndsWith("+json", StringComparison.OrdinalIgnoreCase);
        try
        {
            if (isJson)
            {
                using var document = JsonDocument.Parse(text);
            }
            else if (isXml)
            {
                using var reader = XmlReader.Create(new StringReader(text), new() { DtdProcessing = DtdProcessing.Prohibit });
                while (reader.Read())
                {
                }
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
}
