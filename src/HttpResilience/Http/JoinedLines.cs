using System.Globalization;

namespace HttpResilience;

/// <summary>
/// The lines of a field that an intermediary has joined by a comma and a space (RFC 9110 §5.3). The comma of an HTTP-date follows its
/// weekday; without a space it may be that of a number.
/// </summary>
internal ref struct JoinedLines
{
    private const string Separator = ", ";

    private static readonly string[] Weekdays =
        [.. DateTimeFormatInfo.InvariantInfo.AbbreviatedDayNames, .. DateTimeFormatInfo.InvariantInfo.DayNames];

    private ReadOnlySpan<char> _rest;
    private bool _isAtEnd;

    internal static JoinedLines Of(ReadOnlySpan<char> value) => new() { _rest = value };

    public readonly JoinedLines GetEnumerator() => this;

    public ReadOnlySpan<char> Current { get; private set; }

    public bool MoveNext()
    {
        if (_isAtEnd)
            return false;
        int end = _rest.IndexOf(Separator);
        if (end >= 0 && IsWeekday(_rest[..end].Trim(' ')))
            end = _rest[(end + Separator.Length)..].IndexOf(Separator) is var next and >= 0 ? end + Separator.Length + next : -1;
        _isAtEnd = end < 0;
        Current = _isAtEnd ? _rest : _rest[..end];
        _rest = _isAtEnd ? default : _rest[(end + Separator.Length)..];
        return true;
    }

    private static bool IsWeekday(ReadOnlySpan<char> text)
    {
        foreach (string day in Weekdays)
        {
            if (text.Equals(day, StringComparison.OrdinalIgnoreCase))
                return true;
        }

        return false;
    }
}
