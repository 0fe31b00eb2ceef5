namespace HttpResilience.Benchmarks;

/// <summary>A part of the page that is measured for itself.</summary>
/// <param name="Name">The name of the part in the page and of the option <c>--only</c>.</param>
/// <param name="RunAsync">Measures it.</param>
internal sealed record ComparisonPart(string Name, Func<CommandOptions, Task<ComparisonResult>> RunAsync)
{
    // The points are first: one of them measures the heap of the process.
    private static IReadOnlyList<ComparisonPart> All { get; } =
    [
        new("points", _ => PointsPart.RunAsync()),
        new("cost", options => Task.FromResult(CostPart.Run(options))),
        new("shapes", options => Task.FromResult(ShapesPart.Run(options))),
    ];

    /// <param name="name">The name of a part; null for all.</param>
    /// <exception cref="FormatException">There is no such part.</exception>
    internal static IReadOnlyList<ComparisonPart> Only(string? name)
    {
        ComparisonPart[] parts = [.. All.Where(part => name is null || part.Name == name)];
        return parts.Length > 0 ? parts
            : throw new FormatException($"'{name}' is no part: {string.Join(", ", All.Select(part => part.Name))}.");
    }
}

/// <param name="Lines">The lines of the part in the page.</param>
internal sealed record ComparisonResult(string Lines)
{
    /// <summary>The plots, by the names of their files.</summary>
    internal IReadOnlyDictionary<string, string> Plots { get; init; } = new Dictionary<string, string>();

    /// <summary>The results that are not the known ones.</summary>
    internal IReadOnlyList<string> Differences { get; init; } = [];

    /// <summary>Whether the results of ours are the right ones.</summary>
    internal bool IsRight { get; init; } = true;
}
