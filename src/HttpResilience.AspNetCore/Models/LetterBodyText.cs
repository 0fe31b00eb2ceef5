using System.Buffers;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace HttpResilience.AspNetCore;

/// <summary>The body of a letter as text that a person can change, or why it is none.</summary>
/// <param name="Text">For the editor, JSON with indentation; null when the body is no text.</param>
/// <param name="MediaType">Its media type; empty when it has none.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Obstacle">Why it cannot be changed here; null when it can.</param>
internal sealed record LetterBodyText(string? Text, string MediaType, int Bytes, string? Obstacle)
{
    private const int MaxBytes = 256 * 1024;

    /// <summary>The first bytes of a body that is no text, for people.</summary>
    internal string? Hex { get; init; }

    /// <summary>A letter has a body, which can be downloaded.</summary>
    internal bool Exists { get; init; }

    internal static LetterBodyText Of(DeadLetter letter)
    {
        _ = MediaTypeHeaderValue.TryParse(LetterModel.ContentTypeOf(letter), out var type);
        string mediaType = type?.MediaType ?? "";
        if (letter.KeyIsMissing)
            return new(null, mediaType, 0, "It is protected, and this instance does not have the key.");
        if (letter.BodyIsMissing)
            return new(null, mediaType, 0, "It could be read only once, or was too long to keep: give the one to send.");
        if (letter.Body is not { } body)
            return new(null, mediaType, 0, null);
        string? text = body.Length <= MaxBytes ? TextOf(body.Span, type?.CharSet) : null;
        return new(text is null ? null : Shown(text), mediaType, body.Length, text is null ? ObstacleOf(body.Length) : null)
        {
            Exists = true,
            Hex = text is null ? Convert.ToHexString(body.Span[..Math.Min(256, body.Length)]) : null,
        };
    }

    /// <summary>The body of a letter that the person may not see; another one can be sent.</summary>
    internal static LetterBodyText HiddenOf(DeadLetter letter, string why) =>
        Of(letter) with { Text = null, Hex = null, Obstacle = why };

    /// <summary>What a browser has sent of the text: with the line ends that it was shown with.</summary>
    internal string Typed(string sent)
    {
        string lines = FormText.Lines(sent);
        return Text is null ? lines : lines == FormText.Lines(Text) ? Text
            : Text.Contains("\r\n", StringComparison.Ordinal) ? lines.Replace("\n", "\r\n", StringComparison.Ordinal) : lines;
    }

    /// <summary>The number of the line with the field that a problem is about, when its name occurs once; null for none.</summary>
    internal (string Field, int Line)? LineOfFieldIn(string? problem)
    {
        if (Text is null || string.IsNullOrEmpty(problem))
            return null;
        string[] lines = Text.Split('\n');
        foreach (string field in FieldNames(Text).Where(name => HasWord(problem, name)).OrderBy(name => RankOf(problem, name)))
        {
            int[] found = [.. Enumerable.Range(0, lines.Length).Where(i => lines[i].Contains($"\"{field}\"", StringComparison.Ordinal))];
            if (found is [var line])
                return (field, line + 1);
        }

        return null;
    }

    // A name in quotes is meant; another may be a word of the sentence.
    private static int RankOf(string problem, string name)
    {
        int at = problem.IndexOf(name, StringComparison.Ordinal);
        bool isQuoted = at > 0 && "\"'`“‘«/.".Contains(problem[at - 1], StringComparison.Ordinal);
        return isQuoted ? at : at + problem.Length;
    }

    private static HashSet<string> FieldNames(string text)
    {
        HashSet<string> names = [];
        try
        {
            var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(text));
            while (reader.Read())
            {
                if (reader.TokenType is JsonTokenType.PropertyName && reader.GetString() is { Length: > 1 } name)
                    names.Add(name);
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // No JSON, or a name that is no text: then there is no field to name.
            names.Clear();
        }

        return names;
    }

    private static bool HasWord(string text, string word)
    {
        for (int at = text.IndexOf(word, StringComparison.Ordinal); at >= 0; at = text.IndexOf(word, at + 1, StringComparison.Ordinal))
        {
            int end = at + word.Length;
            if ((at == 0 || !char.IsLetterOrDigit(text[at - 1])) && (end == text.Length || !char.IsLetterOrDigit(text[end])))
                return true;
        }

        return false;
    }

    private static string ObstacleOf(int bytes) => bytes > MaxBytes
        ? "It is longer than 256 KiB: download it, correct it, and send the file."
        : "It is not text that a form gives back as it was: download it, correct it, and send the file.";

    // Only what becomes the same bytes again.
    private static string? TextOf(ReadOnlySpan<byte> bytes, string? charset)
    {
        try
        {
            if (Charset.Find(charset) is not { } encoding || encoding.CodePage is not (65001 or 1200 or 1201 or 28591 or 20127))
                return null;
            string text = encoding.GetString(bytes);
            return encoding.GetBytes(text).AsSpan().SequenceEqual(bytes) && !text.AsSpan().ContainsAny(NoText)
                && FormText.IsUniform(text) ? text : null;
        }
        catch (Exception e) when (e is DecoderFallbackException or EncoderFallbackException)
        {
            return null;
        }
    }

    // A form would not give them back.
    private static readonly SearchValues<char> NoText = SearchValues.Create([.. Enumerable.Range(0, 32)
        .Where(c => c is not ('\t' or '\n' or '\r')).Select(c => (char)c), '\uFEFF', '\u007F']);

    // Deep nesting makes a short text long.
    private static string Shown(string text) =>
        !text.Contains('\n', StringComparison.Ordinal) && Indented(text) is { Length: <= MaxBytes } indented ? indented : text;

    // Token by token, so that the spelling of numbers, double names and the order of fields stay.
    private static string? Indented(string text)
    {
        byte[] json = Encoding.UTF8.GetBytes(text);
        var shown = new StringBuilder(json.Length * 2);
        try
        {
            var reader = new Utf8JsonReader(json);
            bool isFirst = true, isValue = false;
            while (reader.Read())
            {
                bool closes = reader.TokenType is JsonTokenType.EndObject or JsonTokenType.EndArray;
                if (!isValue && !closes && !isFirst && shown[^1] is not ('{' or '['))
                    shown.Append(',');
                if (!isValue && shown.Length > 0 && !(closes && shown[^1] is '{' or '['))
                    shown.Append('\n').Append(' ', 2 * reader.CurrentDepth);
                shown.Append(Encoding.UTF8.GetString(json.AsSpan()[(int)reader.TokenStartIndex..(int)reader.BytesConsumed]));
                isValue = reader.TokenType is JsonTokenType.PropertyName;
                if (isValue)
                {
                    // The colon, with what was around it.
                    int length = shown.Length;
                    while (shown[length - 1] is not '"')
                        length--;
                    shown.Length = length;
                    shown.Append(": ");
                }

                isFirst = false;
            }
        }
        catch (JsonException)
        {
            return null;
        }

        return shown.ToString();
    }
}
