namespace HttpResilience.Benchmarks;

/// <summary>How the cost of a scenario is written.</summary>
internal enum CostUnit
{
    /// <summary>What a client adds to the call of the bare one.</summary>
    Added,

    /// <summary>The whole call as a multiple of the floor.</summary>
    Times,

    /// <summary>What a client adds, as a share of the call of the bare one.</summary>
    Percent,
}

/// <summary>Something that is measured for every client: a line of the table.</summary>
internal abstract class CostScenario(string name)
{
    internal string Name => name;

    internal virtual CostUnit Unit => CostUnit.Added;

    /// <summary>Whether its bars are in the plot, where they must not dwarf the others.</summary>
    internal virtual bool IsPlotted => false;

    internal IReadOnlyList<CostGoal> Goals { get; init; } = [];

    internal abstract CostRow Measure(int rounds);
}
