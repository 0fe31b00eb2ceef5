using System.Globalization;
using System.Text.RegularExpressions;

namespace HttpResilience;

/// <summary>An integer in the configuration: digits, and a sign. People also write separators, a fraction of 0, or a unit.</summary>
internal static partial class IntegerText
{
    private const int Timeout = 1000;

    /// <summary>How a text that is not an integer is written as one; null when it cannot be guessed.</summary>
    /// <param name="text">The text.</param>
    /// <param name="min">The least valid integer.</param>
    /// <param name="max">The greatest valid integer.</param>
    internal static string? Remedy(string? text, int min, int max)
    {
        string trimmed = (text ?? "").Trim();
        if (Form().Match(trimmed) is not { Success: true } match)
            return null;

        string digits = string.Concat(match.Groups["number"].Value.Where(char.IsAsciiDigit));
        string unit = match.Groups["unit"].Value.ToUpperInvariant();
        decimal value = decimal.Parse(digits, CultureInfo.InvariantCulture) * (unit is "" ? 1 : 1L << 10 * ("KMG".IndexOf(unit[0]) + 1));
        string written = value.ToString(CultureInfo.InvariantCulture);
        if (value < min || value > max || written == trimmed)
            return null;
        return unit is "" ? $"write {written}" : $"write {written} for {digits} {unit[0]}iB";
    }

    [GeneratedRegex(
        "^(?<number>[0-9]{1,10}|[0-9]{1,3}(?<separator>[ _,'])[0-9]{3}(\\k<separator>[0-9]{3})*)(\\.0{1,2})? ?(?<unit>[KMG]i?B)?$",
        RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, Timeout)]
    private static partial Regex Form();
}
