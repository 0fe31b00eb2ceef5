using Microsoft.Extensions.Configuration;

namespace HttpResilience;

/// <summary>A key with a section per route. What the sections say is read once the options of the client are known.</summary>
internal sealed class RoutesKey<TOptions>(string name, Func<TOptions, RouteSections> get) : OptionKey<TOptions>(name)
{
    private const string Example = "POST /exports/*";

    internal override void Bind(TOptions options, IConfigurationSection section, OptionReport report)
    {
        var sections = get(options);
        IConfigurationSection[] children = [.. section.GetChildren()];
        if (OptionPath.IsNull(section))
            Clear(sections, section, report);
        else if (section.Value is not null || children.All(c => OptionPath.IsIndex(c.Key)))
        {
            report.Problems.Add(
                $"{section.Path} is {OptionPath.Show(section)}; it must be a section with a key per route, such as '{Example}'.");
        }
        else
            BindEach(sections, children, report);
    }

    private static void Clear(RouteSections sections, IConfigurationSection section, OptionReport report)
    {
        if (!sections.IsEmpty)
            report.Notes.Add($"{section.Path} is null or empty, and the routes of {OptionPath.Defaults} do not hold for the client");
        sections.Clear();
    }

    private static void BindEach(RouteSections sections, IConfigurationSection[] children, OptionReport report)
    {
        Dictionary<string, string> seen = [];
        foreach (var child in children)
        {
            if (!RoutePattern.TryParse(child.Key, out var pattern))
                report.Problems.Add(ProblemOf(child.Path, child.Key, child));
            else if (!seen.TryAdd(pattern.Identity, child.Key))
                report.Problems.Add($"{child.Path} is the same route as '{seen[pattern.Identity]}'; write it once.");
            else if (child.Value is not null || child.GetChildren().Any(c => OptionPath.IsIndex(c.Key)))
                report.Problems.Add($"{child.Path} is {OptionPath.Show(child)}; it must be a section with what differs for this route.");
            else if (OptionPath.IsNull(child))
                sections.Remove(pattern);
            else
                sections.Add(pattern, child, report);
        }
    }

    /// <summary>The problem of a key that is not a pattern.</summary>
    /// <param name="section">Its section; null for a pattern in code.</param>
    internal static string ProblemOf(string path, string key, IConfigurationSection? section = null)
    {
        // The configuration has split it at a colon.
        string whole = section?.GetChildren().Select(c => c.Key).FirstOrDefault(k => k.StartsWith('/')) is { } rest
            ? rest.StartsWith("//", StringComparison.Ordinal) ? $"{key}:{rest}" : $"{key} {rest}" : key;
        string hint = (RoutePattern.TryParse(whole, out _) ? whole : RoutePattern.Remedy(whole)) is { } remedy ? $" Write '{remedy}'." : "";
        return $"{path} is not a route; it must be a method, or none for all, and a path, such as '{Example}', in which * stands for one "
            + $"segment, and ** at the end for all that follow.{hint}";
    }

    internal override void Validate(TOptions options, OptionPath path, ICollection<string> problems)
    {
    }

    internal override void Copy(TOptions from, TOptions to)
    {
    }

    internal override OptionShape ShapeOf(TOptions defaults) => new RoutesShape(typeof(TOptions), Name);
}
