using Microsoft.Extensions.Configuration;

namespace HttpResilience;

/// <summary>What is wrong with the section <c>HttpResilience</c> outside the settings of the clients.</summary>
internal static class RootSection
{
    internal static IReadOnlyList<string> ProblemsIn(IConfiguration? configuration, IEnumerable<ResilientClient> clients)
    {
        List<string> problems = [];
        if (configuration is null)
            return problems;

        var root = configuration.GetSection(OptionPath.Root);
        if (!string.IsNullOrEmpty(root.Value))
            problems.Add($"{root.Path} is {OptionPath.Show(root)}; it must be a section with keys such as {OptionPath.RootKeys[0]}.");
        var report = new OptionReport(problems, root.Path, () => Paths)
        {
            Synonyms = OptionSynonyms.Paths.ToDictionary(
                s => s.Key, string[] (s) => [.. s.Value.Select(path => $"Defaults:{path}")], StringComparer.OrdinalIgnoreCase),
        };
        foreach (var child in root.GetChildren())
        {
            if (clients.Any(c => c.Name is { } name && name.Equals(child.Key, StringComparison.OrdinalIgnoreCase)))
                problems.Add($"{child.Path} is not a known key; did you mean {OptionPath.Clients}:{child.Key}?");
            else if (!OptionPath.RootKeys.Contains(child.Key, StringComparer.OrdinalIgnoreCase))
                report.AddUnknownKey(child, OptionPath.RootKeys);
        }

        if (ProblemOfClients(configuration.GetSection(OptionPath.Clients), clients) is { } problem)
            problems.Add(problem);
        return problems;
    }

    private static IEnumerable<string> Paths =>
        [.. OptionPath.RootKeys, .. HttpResilienceOptions.Keys.Paths.Select(path => $"{nameof(OptionPath.Defaults)}:{path}")];

    private static string? ProblemOfClients(IConfigurationSection section, IEnumerable<ResilientClient> clients)
    {
        IConfigurationSection[] children = [.. section.GetChildren()];
        bool isList = children.Length > 0 && children.All(c => OptionPath.IsIndex(c.Key) && clients.All(client => client.Name != c.Key));
        return isList || !string.IsNullOrEmpty(section.Value)
            ? $"{section.Path} is {OptionPath.Show(section)}; it must be a section with the name of each client as a key." : null;
    }
}
