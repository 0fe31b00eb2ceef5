using System.Globalization;
using System.Text.RegularExpressions;

namespace HttpResilience;

/// <summary>
/// A duration in the configuration: <c>[d.]hh:mm:ss[.fff]</c>. <see cref="TimeSpan.Parse(string)"/> also reads <c>24:00:00</c> and a bare
/// <c>10</c> as days, and <c>00:30</c> as minutes, which few people mean.
/// </summary>
internal static partial class DurationText
{
    /// <summary>The one rule, of the host and of the JSON schema.</summary>
    internal const string Pattern = @"^([0-9]{1,8}\.)?([01]?[0-9]|2[0-3]):[0-5]?[0-9]:[0-5]?[0-9](\.[0-9]{1,7})?$";

    private const int Timeout = 1000;

    internal static bool TryParse(string? text, out TimeSpan value)
    {
        value = default;
        // Validation reports a negative duration with its range.
        string unsigned = text?.StartsWith('-') is true ? text[1..] : text ?? "";
        return !unsigned.EndsWith('\n') && Form().IsMatch(unsigned) && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out value);
    }

    /// <summary>How a text that is not a duration is written as one; null when it cannot be guessed.</summary>
    /// <param name="min">The least valid duration.</param>
    /// <param name="max">The greatest valid duration.</param>
    internal static string? Remedy(string? text, TimeSpan min, TimeSpan max)
    {
        string trimmed = (text ?? "").Trim();
        if (TryParse(trimmed, out _))
            return trimmed == text ? null : $"write '{trimmed}' without spaces";

        string[] readings =
        [
            .. ReadingsOf(trimmed).Where(r => SecondsOf(r) >= min.TotalSeconds && SecondsOf(r) <= max.TotalSeconds).Select(r =>
                string.Create(CultureInfo.InvariantCulture, $"'{Show(TimeSpan.FromSeconds(SecondsOf(r)))}' for {r.Amount:0.###} {r.Unit}")),
        ];
        return readings.Length == 0 ? null : $"write {string.Join(", or ", readings)}";
    }

    // The likeliest first.
    private static (double Amount, string Unit)[] ReadingsOf(string text)
    {
        if (Number().IsMatch(text))
            return [(PartOf(text), "s"), PartOf(text) < 100 ? (PartOf(text), "d") : (PartOf(text), "ms")];
        if (WithUnit().Match(text) is { Success: true } withUnit)
            return [(PartOf(withUnit.Groups["amount"].Value), UnitOf(withUnit.Groups["unit"].Value))];
        if (Iso().Match(text) is { Success: true } iso && text.Any(char.IsAsciiDigit))
        {
            return [(PartOf(iso.Groups["d"].Value) * 86400 + PartOf(iso.Groups["h"].Value) * 3600 + PartOf(iso.Groups["m"].Value) * 60
                + PartOf(iso.Groups["s"].Value), "s")];
        }

        string[] parts = text.Split(':');
        return parts.Length is >= 2 and <= 4 && parts.SkipLast(1).All(IsWhole) && Number().IsMatch(parts[^1])
            ? OfColons([.. parts.Select(PartOf)]) : [];
    }

    private static (double Amount, string Unit)[] OfColons(double[] parts) => parts switch
    {
        [var first, var second] => [(first * 60 + second, "min"), (first * 60 + second, "s")],
        // As it was meant, and as TimeSpan reads it.
        [>= 24 and var first, < 60 and var second, < 60 and var third] =>
            [(first + second / 60 + third / 3600, "h"), (first + second / 24 + third / 1440, "d")],
        [var hours, var minutes, var seconds] => [(hours * 3600 + minutes * 60 + seconds, "s")],
        _ => [(parts[0] * 86400 + parts[1] * 3600 + parts[2] * 60 + parts[3], "s")],
    };

    private static bool IsWhole(string part) => part.Length is > 0 and < 9 && part.All(char.IsAsciiDigit);

    private static double PartOf(string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value) ? value : 0;

    private static string UnitOf(string unit) => unit.ToUpperInvariant() switch
    {
        "MS" or "MILLISECOND" or "MILLISECONDS" => "ms",
        "M" or "MIN" or "MINS" or "MINUTE" or "MINUTES" => "min",
        "H" or "HR" or "HRS" or "HOUR" or "HOURS" => "h",
        "D" or "DAY" or "DAYS" => "d",
        _ => "s",
    };

    private static double SecondsOf((double Amount, string Unit) reading) => reading.Amount * reading.Unit switch
    {
        "ms" => 0.001,
        "min" => 60,
        "h" => 3600,
        "d" => 86400,
        _ => 1,
    };

    private static string Show(TimeSpan duration)
    {
        string text = duration.ToString("c", CultureInfo.InvariantCulture);
        return duration.Ticks % TimeSpan.TicksPerSecond == 0 ? text : text.TrimEnd('0');
    }

    [GeneratedRegex(Pattern, RegexOptions.ExplicitCapture, Timeout)]
    private static partial Regex Form();

    [GeneratedRegex(@"^[0-9]{1,12}(\.[0-9]{1,7})?$", RegexOptions.ExplicitCapture, Timeout)]
    private static partial Regex Number();

    [GeneratedRegex(
        "^(?<amount>[0-9]{1,9}(\\.[0-9]{1,7})?) ?(?<unit>ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)$",
        RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, Timeout)]
    private static partial Regex WithUnit();

    // ISO 8601.
    [GeneratedRegex(
        @"^P((?<d>[0-9]{1,6})D)?(T((?<h>[0-9]{1,6})H)?((?<m>[0-9]{1,6})M)?((?<s>[0-9]{1,6}(\.[0-9]{1,7})?)S)?)?$",
        RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, Timeout)]
    private static partial Regex Iso();
}
