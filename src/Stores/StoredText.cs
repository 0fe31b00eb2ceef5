using System.Buffers;
using System.Collections.Frozen;
using System.Text;

namespace HttpResilience;

/// <summary>Text in the form that every store accepts.</summary>
internal static class StoredText
{
    private static readonly SearchValues<char> Suspects = SearchValues.Create(
        [.. Enumerable.Range(0xD800, 0x800).Select(c => (char)c), '\0']);

    /// <summary>
    /// Replaces with U+FFFD what a database rejects: NUL (PostgreSQL) and unpaired surrogates (both). An API's error message may contain
    /// either, and must not prevent its letter from being stored.
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

    /// <summary>
    /// The value of exactly this name; null if this version does not know it. A number, blanks and lists, which the platform would also
    /// parse, are no names.
    /// </summary>
    internal static T? NamedOrNull<T>(string name)
        where T : struct, Enum => Names<T>.Values.TryGetValue(name, out var value) ? value : null;

    /// <summary>Enumerations are stored by name, which survives a change of their order and is readable in the table.</summary>
    internal static T Named<T>(string name)
        where T : struct, Enum => NamedOrNull<T>(name)
        ?? throw new HttpResilienceStorageException(
            $"The database holds the {typeof(T).Name} '{name}', which this version does not know: a newer one has written it.");

    private static class Names<T>
        where T : struct, Enum
    {
        internal static readonly FrozenDictionary<string, T> Values =
            Enum.GetValues<T>().ToFrozenDictionary(v => v.ToString(), StringComparer.Ordinal);
    }
}
