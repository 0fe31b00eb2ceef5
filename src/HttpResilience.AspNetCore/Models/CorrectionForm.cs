using System.Text;

namespace HttpResilience.AspNetCore;

/// <summary>A correction as the form sends it.</summary>
internal static class CorrectionForm
{
    /// <summary>The header fields of a letter, one a line.</summary>
    internal static string HeadersOf(DeadLetter letter) => string.Join('\n', letter.Headers.Select(h => $"{h.Key}: {h.Value}"));

    /// <summary>What the form changes of a letter; null where it leaves it as it was.</summary>
    /// <param name="letter">The letter.</param>
    /// <param name="body">Its body as it was shown.</param>
    /// <param name="draft">What was typed.</param>
    /// <param name="file">The file that was chosen; null for none.</param>
    /// <exception cref="ApiProblemException">422: a line is no header field.</exception>
    internal static ResubmitRequest? Of(DeadLetter letter, LetterBodyText body, LetterDraft draft, byte[]? file)
    {
        string? text = draft.Text is { } sent && body.Typed(sent) is var typed && typed != (body.Text ?? "") ? typed : null;
        string? method = draft.Method != letter.Method ? draft.Method : null;
        string? uri = draft.Address != (letter.OriginalUri ?? letter.Uri.AbsoluteUri) ? draft.Address : null;
        string headers = FormText.Lines(draft.Headers).TrimEnd('\n');
        var fields = headers != FormText.Lines(HeadersOf(letter)) ? FieldsOf(headers) : null;
        return text is null && file is null && method is null && uri is null && fields is null ? null : new()
        {
            Text = file is null ? text : null,
            Body = file is null ? null : Convert.ToBase64String(file),
            Method = method,
            Uri = uri,
            Headers = fields,
        };
    }

    /// <summary>A letter as one text, for the difference.</summary>
    internal static string TextOf(string method, string address, string headers, string? body) => new StringBuilder()
        .Append(method).Append(' ').Append(address).Append('\n').Append(FormText.Lines(headers))
        .Append("\n\n").Append(body).ToString();

    private static List<HeaderModel> FieldsOf(string lines)
    {
        List<HeaderModel> fields = [];
        foreach (string line in lines.Split('\n').Where(l => l.Trim().Length > 0))
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0)
                throw ApiProblemException.NotValid(
                    "headers", $"“{ForeignText.Visible(line, 40)}” is no header field: it is a name, a colon and a value.");
            fields.Add(new() { Name = line[..colon].Trim(), Value = line[(colon + 1)..].Trim() });
        }

        return fields;
    }
}
