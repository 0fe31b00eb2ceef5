using System.Globalization;

namespace HttpResilience.Tests.Conventions;

/// <summary>Layers.txt: the level of each folder, and what may deviate from the order.</summary>
internal sealed class Layers
{
    internal const int Rules = 3;

    private readonly Dictionary<string, int> _levels = [];
    private readonly Dictionary<string, int> _limits = [];
    private readonly HashSet<string> _rules = [];
    private readonly HashSet<string> _neighbours = [];

    internal Layers(string text)
    {
        string section = "";
        foreach (string line in text.Split('\n').Select(l => l.Split('#')[0].Trim()).Where(l => l.Length > 0))
        {
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (line.StartsWith('['))
                section = line.Trim('[', ']');
            else if (section == "levels")
                Array.ForEach(words[1..], folder => _levels.Add(folder, int.Parse(words[0], CultureInfo.InvariantCulture)));
            else if (section == "rules")
                _rules.UnionWith(words);
            else if (section == "neighbours")
                _neighbours.Add(string.Join(' ', words));
            else
                _limits.Add(string.Join(' ', words[1..]), int.Parse(words[0], CultureInfo.InvariantCulture));
        }
    }

    internal IEnumerable<string> Neighbours => _neighbours;

    internal static string NeighboursOf(SourceReference reference) => $"{NameOf(reference.From)} -> {NameOf(reference.To!)}";

    internal int Limit(string name) => _limits[name];

    /// <summary>The limit of a type: its own, else that of its kind.</summary>
    internal int LimitOf(string type, string kind) => _limits.TryGetValue(type, out int own) ? own : _limits[kind];

    /// <summary>A pure rule of the chain stands below every handler, whatever folder it is in.</summary>
    internal int LevelOf(string file)
    {
        string folder = SourceGraph.FolderOf(file).Replace('\\', '/');
        int level = _levels.TryGetValue(folder, out int known) ? known
            : throw new InvalidOperationException($"{file}: Layers.txt has no level for {folder}.");
        return level > Rules && IsRule(file) && !IsOfOperations(folder) ? Rules : level;
    }

    /// <summary>Whether the file may refer to the other: in its own folder, or below.</summary>
    internal bool IsUpward(string from, string to) => LevelOf(to) > LevelOf(from) && SourceGraph.FolderOf(to) != SourceGraph.FolderOf(from);

    internal bool IsRule(string file)
    {
        string name = Path.GetFileNameWithoutExtension(file);
        return _rules.Any(rule => Matches(name, rule)) && !_rules.Any(rule => rule[0] == '!' && Matches(name, rule[1..]));
    }

    private static bool IsOfOperations(string folder) => folder.StartsWith("HttpResilience.Operations", StringComparison.Ordinal);

    private static string NameOf(string file) => Path.GetFileName(SourceGraph.FolderOf(file));

    private static bool Matches(string name, string pattern) => pattern switch
    {
        ['*', .. var end] => name.EndsWith(end, StringComparison.Ordinal),
        [.. var start, '*'] => name.StartsWith(start, StringComparison.Ordinal),
        _ => name == pattern,
    };
}
