using System.Globalization;

namespace HttpResilience.Tool;

/// <summary>Numbers of letters in sentences.</summary>
internal static class LetterNumber
{
    internal static string Of(int letters) =>
        letters == 1 ? "1 letter" : string.Create(CultureInfo.InvariantCulture, $"{letters:N0} letters");
}
