using Microsoft.Extensions.Configuration;

namespace HttpResilience;

/// <summary>What the configuration says of routes, in the order in which it was read: a later section is over an earlier one.</summary>
internal sealed class RouteSections
{
    private readonly List<RouteSection> _sections = [];

    /// <summary>Where the section is that is being read.</summary>
    internal OptionSource Source { get; set; }

    internal bool IsEmpty => _sections.Count == 0;

    /// <summary>The sections of each route.</summary>
    internal IEnumerable<IGrouping<string, RouteSection>> ByRoute => _sections.GroupBy(s => s.Pattern.Identity);

    internal void Add(RoutePattern pattern, IConfigurationSection section, OptionReport report) =>
        _sections.Add(new(pattern, section, Source, report));

    internal void Remove(RoutePattern pattern) => _sections.RemoveAll(s => s.Pattern.Identity == pattern.Identity);

    internal void Clear() => _sections.Clear();
}

/// <summary>A section of a route.</summary>
/// <param name="Report">That of the section which has the routes.</param>
internal sealed record RouteSection(RoutePattern Pattern, IConfigurationSection Section, OptionSource Source, OptionReport Report);
