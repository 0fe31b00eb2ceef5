using Microsoft.Extensions.Configuration;

namespace HttpResilience;

/// <summary>What reading a section has found, and the paths of all keys below its root, for the hints about misspelt ones.</summary>
/// <param name="Problems">Gets what cannot be read.</param>
/// <param name="Root">The path of the section that was read first.</param>
/// <param name="Paths">The paths of its keys, relative to it.</param>
internal sealed record OptionReport(ICollection<string> Problems, string Root, Func<IEnumerable<string>> Paths)
{
    private const int MaxPlaces = 3;

    /// <summary>Names that other libraries use, alone or with the path of their section, and the paths of the keys here.</summary>
    internal IReadOnlyDictionary<string, string[]> Synonyms { get; init; } = new Dictionary<string, string[]>();

    /// <summary>Gets what is odd but valid: a section that is null or empty and thereby switched off.</summary>
    internal ICollection<string> Notes { get; init; } = [];

    /// <summary>The sources of the configuration, the later ones over the earlier ones.</summary>
    internal IReadOnlyList<IConfigurationProvider> Sources { get; init; } = [];

    /// <summary>The problem of a key that must not be here; null when it may. Its path is relative to the root.</summary>
    internal Func<string, bool, string?> Refuses { get; init; } = static (_, _) => null;

    /// <summary>What else a key that is like none may come from.</summary>
    internal string Remark { get; init; } = "";

    /// <summary>
    /// Notes a section that a later source has null, and a list that several sources have: the configuration merges keys, so the keys of
    /// the earlier source remain.
    /// </summary>
    internal void NoteMerge(IConfigurationSection section, bool isList)
    {
        IConfigurationProvider[] withKeys = [.. Sources.Where(source => source.GetChildKeys([], section.Path).Any())];
        bool isNullLater = withKeys.Length > 0 && Sources.Reverse().TakeWhile(source => source != withKeys[^1])
            .Any(source => source.TryGet(section.Path, out string? value) && string.IsNullOrEmpty(value));
        if (isNullLater || (isList && withKeys.Length > 1))
        {
            Notes.Add($"{section.Path} is in several sources of the configuration, which merges them key by key: in force is "
                + $"{string.Join(", ", section.GetChildren().Select(c => c.Value is null ? c.Key : $"{c.Key}: {c.Value}"))}. "
                + "Write it in one source");
        }
    }

    /// <summary>Reports a key that does not exist.</summary>
    /// <param name="siblings">The keys that exist in its section.</param>
    internal void AddUnknownKey(IConfigurationSection key, IEnumerable<string> siblings)
    {
        string section = BelowRoot(ConfigurationPath.GetParentPath(key.Path)!);
        string prefix = section.Length > 0 ? section + ":" : "";
        Problems.Add($"{key.Path} is not a known key; {Hint(key, [.. siblings.Where(s => Refuses(prefix + s, true) is null)])}");
    }

    /// <summary>Why a key must not be here.</summary>
    internal string? Refusal(IConfigurationSection key) => Refuses(BelowRoot(key.Path), string.IsNullOrEmpty(key.Value)
        && !key.GetChildren().Any());

    private string BelowRoot(string path) => path.Length > Root.Length ? path[(Root.Length + 1)..] : "";

    private string Hint(IConfigurationSection key, string[] siblings)
    {
        string parent = ConfigurationPath.GetParentPath(key.Path)!;
        if (Spelling.Similar(key.Key, siblings) is { } near)
            return $"did you mean {parent}:{near}?";

        string[] elsewhere = Elsewhere(key.Key, parent.Length > Root.Length ? parent[(Root.Length + 1)..] + ":" : "");
        return elsewhere.Length is > 0 and <= MaxPlaces
            ? $"did you mean {string.Join(" or ", elsewhere.Select(path => $"{Root}:{path}"))}?"
            : $"the keys here are {string.Join(", ", siblings)}.{Remark}";
    }

    private string[] Elsewhere(string key, string section)
    {
        if (Synonyms.TryGetValue(section + key, out string[]? known))
            return known;

        string[] paths = [.. Paths()];
        string name = paths.Any(p => IsNamed(p, key)) || Synonyms.ContainsKey(key) ? key
            : Spelling.Similar(key, paths.Select(LastOf)) ?? key;
        string[] places = [.. paths.Where(p => IsNamed(p, name)).OrderBy(p => p.Contains('<'))];
        // A path with a placeholder, such as <status>, is suggested only when there is no other.
        places = places is [var one, ..] && !one.Contains('<') ? [.. places.Where(p => !p.Contains('<'))] : places;
        string[] below = [.. places.Where(p => p.StartsWith(section, StringComparison.OrdinalIgnoreCase))];
        return below.Length > 0 ? below : places.Length > 0 ? places : Synonyms.GetValueOrDefault(key, []);
    }

    private static bool IsNamed(string path, string key) => LastOf(path).Equals(key, StringComparison.OrdinalIgnoreCase);

    private static string LastOf(string path) => ConfigurationPath.GetSectionKey(path)!;
}
