using System.Buffers;
using System.Collections.Frozen;

namespace HttpResilience;

/// <summary>
/// Finds the values of secret names (<see cref="SecretNames"/>) in a text of a server or a request: in JSON, also in JSON inside JSON, in
/// forms, URIs, XML, header lines and messages, and in documents that are cut off. It reads no grammar, as the text of an error rarely has
/// one: a name, a separator and a value are enough.
/// </summary>
internal sealed class SecretValues
{
    private const int MaxPartHead = 512;

    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.$");

    // Without one of them, or an escape of one, no name has a value.
    private static readonly SearchValues<char> Separators = SearchValues.Create(":=>%&\\");

    private static readonly SearchValues<char> EndsOfValues = SearchValues.Create(" \t\r\n&;,\"'<>(){}[]`");
    private static readonly SearchValues<char> EndsOfAuthorities = SearchValues.Create(" \t\r\n/?#\"'<>\\");

    // Validators report the name of a field and its value as two fields.
    private static readonly FrozenSet<string> ReportedValues = FrozenSet.ToFrozenSet(
        [
            "value", "input", "rejectedValue", "rejected_value", "attemptedValue", "attempted_value", "invalidValue", "invalid_value",
            "actual", "actualValue", "given", "received", "provided", "currentValue", "submitted",
        ],
        StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenSet<string> Schemes = FrozenSet.ToFrozenSet(
        ["Bearer", "Basic", "Digest", "Token", "Negotiate", "NTLM", "DPoP", "ApiKey", "SSWS", "Hawk", "SharedKey", "GoogleLogin"],
        StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenSet<string> Literals = FrozenSet.ToFrozenSet(
        ["null", "true", "false", "none", "undefined", "nil"], StringComparer.OrdinalIgnoreCase);

    private readonly DecodedText _text;
    private readonly SecretNames _names;
    private readonly List<(int Start, int End)> _found = [];
    private int _depth;
    // The object in which a secret name was reported, and the last value that one reported before it.
    private int _armedAt = int.MaxValue;
    private (string Name, int Separator, int Depth)? _reported;

    private SecretValues(string text, SecretNames names)
    {
        (_text, _names) = (new(text), names);
        for (int i = 0; i < _text.Length;)
            i = Next(i);
    }

    /// <summary>The text with the values replaced.</summary>
    internal static string Strike(string text, SecretNames names) => !text.AsSpan().ContainsAny(Separators) ? text
        : StruckText.Of(text, new SecretValues(text, names).Ranges());

    /// <summary>The values as they stand in the text, and the texts and numbers inside them.</summary>
    internal static IEnumerable<string> In(string text, SecretNames names)
    {
        if (!text.AsSpan().ContainsAny(Separators))
            yield break;
        foreach (var (start, end) in new SecretValues(text, names).Ranges())
        {
            string value = text[start..end];
            if (value is ['{' or '[' or '<', ..] || value.Contains('<', StringComparison.Ordinal))
            {
                foreach (string part in value.Split(['"', '<', '>', '{', '}', '[', ']', ',', ':'], StringSplitOptions.RemoveEmptyEntries))
                    yield return part.Trim();
            }
            else
                yield return value;
        }
    }

    /// <summary>Whether a word is the name of an authentication scheme (RFC 9110 §11.1).</summary>
    internal static bool IsScheme(string word) => Schemes.Contains(word);

    private IEnumerable<(int Start, int End)> Ranges() =>
        _found.Where(f => f.End > f.Start).Select(f => (_text.StartOf(f.Start), _text.StartOf(f.End)));

    private int Next(int i)
    {
        char c = _text[i];
        if (NameCharacters.Contains(c))
            return Name(i);
        if (c is '{')
            (_depth, _reported) = (_depth + 1, null);
        else if (c is '}')
        {
            (_depth, _reported) = (_depth - 1, null);
            if (_depth < _armedAt)
                _armedAt = int.MaxValue;
        }
        else if (c is ':' && SkipBackslashes(i + 1) is var slash && _text[slash] is '/' && _text[SkipBackslashes(slash + 1)] is '/')
            return UserInfo(SkipBackslashes(slash + 1) + 1);
        return i + 1;
    }

    // https://user:password@host
    private int UserInfo(int start)
    {
        int end = start;
        while (end < _text.Length && !EndsOfAuthorities.Contains(_text[end]))
            end++;
        int at = _text.Slice(start, end).LastIndexOf('@');
        if (at < 0)
            return start;
        _found.Add((start, start + at));
        return start + at;
    }

    private int Name(int start)
    {
        int end = start;
        while (end < _text.Length && NameCharacters.Contains(_text[end]))
            end++;
        string name = _text.Slice(start, end).ToString();
        bool isReportedValue = ReportedValues.Contains(name);
        if (!isReportedValue && !IsSecret(name, _text[start - 1]))
            return end;
        if (ElementStart(start) && !isReportedValue)
            return Element(name, end);

        int separator = SkipVerb(SkipBlanks(SkipQuote(SkipBrackets(end))));
        if (_text[separator] is not (':' or '=') || (_text[separator] is ':' && _text[separator + 1] is ':' or '/'))
        {
            if (isReportedValue || !IsWholeText(start, end))
                return end;
            bool isPart = _text.Slice(0, start).EndsWith("name=\"", StringComparison.OrdinalIgnoreCase);
            return Math.Max(Arm(end), isPart ? Part(end) : end);
        }

        if (isReportedValue && _depth < _armedAt)
        {
            _reported = (name, separator, _depth);
            return end;
        }

        var value = Value(name, separator);
        _found.Add(value);
        return Math.Max(value.End, end);
    }

    private bool IsSecret(string name, char before) =>
        SecretNames.IsField(name.Trim('.', '-', '$')) || (before is '?' or '&' or ';' && _names.IsParameter(name))
        || (name.Contains('-', StringComparison.Ordinal) && _names.IsHeader(name));

    // Content-Disposition: form-data; name="password" (RFC 7578 §4.2): the value comes after an empty line.
    private int Part(int end)
    {
        var head = _text.Slice(end, end + MaxPartHead);
        int blank = head.IndexOf("\n\r\n");
        int start = blank >= 0 ? blank + 3 : head.IndexOf("\n\n") is >= 0 and var line ? line + 2 : -1;
        if (start < 0)
            return end;
        int next = _text.IndexOf("\n--", end + start);
        _found.Add((end + start, next < 0 ? _text.Length : next));
        return _found[^1].End;
    }

    // "field": "password": the next value that is reported is that of the password.
    private int Arm(int end)
    {
        _armedAt = Math.Min(_armedAt, _depth);
        if (_reported is not { } before || before.Depth != _depth)
            return end;
        _reported = null;
        _found.Add(Value(before.Name, before.Separator));
        // The name may stand inside the value, which is not read again.
        return Math.Max(_found[^1].End, end);
    }

    private bool IsWholeText(int start, int end) => _text[start - 1] is '"' or '\'' or '/' && (_text[end] is '"' or '\''
        || (_text[end] is '\\' && _text[SkipBackslashes(end)] is '"' or '\''));

    private bool ElementStart(int start)
    {
        if (_text[start - 1] is ':')
        {
            start--;
            while (NameCharacters.Contains(_text[start - 1]))
                start--;
        }

        return _text[start - 1] is '<';
    }

    // <ns:password kind="text">value</ns:password>, also with elements or CDATA inside.
    private int Element(string name, int end)
    {
        int close = _text.IndexOf('>', end);
        if (close < 0)
        {
            // Its attributes are cut off.
            _found.Add((end, _text.Length));
            return _text.Length;
        }

        if (_text[close - 1] is '/')
            return end;
        int after = close + 1;
        for (int from = after; ; from++)
        {
            from = _text.IndexOf("</", from);
            if (from < 0)
            {
                _found.Add((after, _text.Length));
                return _text.Length;
            }

            int local = from + 2;
            int colon = local;
            while (NameCharacters.Contains(_text[colon]))
                colon++;
            if (_text[colon] is ':')
                local = colon + 1;
            if (!_text.Slice(local, local + name.Length).Equals(name, StringComparison.OrdinalIgnoreCase))
                continue;
            _found.Add((after, from));
            return from;
        }
    }

    private (int Start, int End) Value(string name, int separator)
    {
        bool isEscaped = _text.IsEscaped(separator);
        int start = separator + 1;
        while (_text[start] is '=' or '>')
            start++;
        start = SkipBlanks(start);
        int quote = SkipBackslashes(start);
        if (_text[quote] is '"' or '\'' or '`')
            return (quote + 1, EndOfQuoted(quote, quote - start));
        if (_text[start] is '{' or '[')
            return (start, EndOfBracketed(start));
        bool isWholeLine = _text[separator] is ':' && IsHeaderLine(name);
        int end = EndOfBare(start, isWholeLine, isEscaped);
        string word = _text.Slice(start, end).ToString();
        if (Literals.Contains(word))
            return (start, start);
        if (!Schemes.Contains(word))
            return (start, end);
        int next = SkipBlanks(end);
        quote = SkipBackslashes(next);
        return (start, _text[quote] is '"' ? EndOfQuoted(quote, quote - next) : EndOfBare(next, isWholeLine, isEscaped));
    }

    private static bool IsHeaderLine(string name) => name.EndsWith("authorization", StringComparison.OrdinalIgnoreCase)
        || name.EndsWith("cookie", StringComparison.OrdinalIgnoreCase);

    private int EndOfBare(int start, bool isWholeLine, bool isEscaped)
    {
        int end = start;
        for (; end < _text.Length; end++)
        {
            if (isWholeLine && _text[end] is '"' && _text[end - 1] is '=')
            {
                // A parameter of the credentials (RFC 9110 §11.4).
                end = EndOfQuoted(end, level: 0);
                continue;
            }

            bool ends = isWholeLine ? _text[end] is '\r' or '\n' or '"' or '<' : EndsOfValues.Contains(_text[end]);
            // p%26w is one value of a form; in a form that is escaped as a whole, the separators are escaped.
            if (ends && (isEscaped || !_text.IsEscaped(end)))
                break;
        }

        return end;
    }

    /// <param name="level">The number of backslashes before the quote: those of a document inside another one.</param>
    private int EndOfQuoted(int quote, int level)
    {
        int unit = _text.IsEscaped(quote) && _text.Text[_text.StartOf(quote)] is '\\' ? 2 : level + 1;
        int backslashes = 0;
        for (int i = quote + 1; i < _text.Length; i++)
        {
            if (_text[i] is '\\')
            {
                backslashes++;
                continue;
            }

            if (_text[i] == _text[quote] && _text.IsSameForm(i, quote) && backslashes >= level && (backslashes - level) % (2 * unit) == 0)
                return i - Math.Min(level, backslashes);
            backslashes = 0;
        }

        return _text.Length;
    }

    private int EndOfBracketed(int start)
    {
        int depth = 0;
        for (int i = start; i < _text.Length; i++)
        {
            int escape = i;
            i = SkipBackslashes(i);
            if (_text[i] is '"')
                i = SkipBackslashes(EndOfQuoted(i, i - escape));
            else if (_text[i] is '{' or '[')
                depth++;
            else if (_text[i] is '}' or ']' && --depth == 0)
                return i + 1;
        }

        return _text.Length;
    }

    // The password is: secret.
    private int SkipVerb(int i)
    {
        int verb = i;
        while (char.IsAsciiLetter(_text[verb]))
            verb++;
        return _text[verb] is ':' && _text.Slice(i, verb) is "is" or "was" ? verb : i;
    }

    private int SkipBrackets(int i)
    {
        while (_text[i] is ']')
            i++;
        return i;
    }

    private int SkipQuote(int i)
    {
        int quote = SkipBackslashes(i);
        return _text[quote] is '"' or '\'' or '`' ? quote + 1 : i;
    }

    private int SkipBackslashes(int i)
    {
        while (_text[i] is '\\')
            i++;
        return i;
    }

    // Line breaks of a document inside another one are escaped.
    private int SkipBlanks(int i)
    {
        while (true)
        {
            if (_text[i] is ' ' or '\t' or '\r' or '\n')
                i++;
            else if (_text[i] is '\\' && _text[SkipBackslashes(i)] is 'n' or 'r' or 't')
                i = SkipBackslashes(i) + 1;
            else
                return i;
        }
    }
}
