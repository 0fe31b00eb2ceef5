using System.Buffers;
using System.Text;

namespace HttpResilience;

/// <summary>Text as every store can keep it.</summary>
internal static class StoredText
{
    private static readonly SearchValues<char> Suspects = SearchValues.Create([.. Enumerable.Range(0xD800, 0x800).Select(c => (char)c), '\0']);

    /// <summary>
    /// What an API says may hold anything, but PostgreSQL has no NUL in a text, and neither database half of a surrogate pair: they become U+FFFD.
    /// A letter is worth more than the exact bytes of its error message.
    /// </summary>
    internal static string? Storable(string? text)
    {
        if (text is null || text.AsSpan().IndexOfAny(Suspects) < 0)
            return text;

        var storable = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
            storable.Append(rune.Value == 0 ? Rune.ReplacementChar.ToString() : rune.ToString());
        return storable.ToString();
    }

    /// <summary>The value of this name; null when this version does not know it.</summary>
    internal static T? NamedOrNull<T>(string name)
        where T : struct, Enum => Enum.TryParse(name, out T value) && Enum.IsDefined(value) ? value : null;

    /// <summary>Names outlive a change of the order in which an enumeration lists them, and say something to whoever looks at the table.</summary>
    internal static T Named<T>(string name)
        where T : struct, Enum => NamedOrNull<T>(name)
        ?? throw new HttpResilienceStorageException($"The database holds the {typeof(T).Name} '{name}', which this version does not know: a newer one has written it.");
}
