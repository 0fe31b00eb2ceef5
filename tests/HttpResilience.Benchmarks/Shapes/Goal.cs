namespace HttpResilience.Simulation;

/// <summary>An aim for the client as it comes, and what several seeds gave.</summary>
/// <param name="Name">The aim.</param>
/// <param name="Limit">The figure that no seed, or their mean, may exceed.</param>
/// <param name="Figures">One for each seed.</param>
/// <param name="ByMean">The mean is compared with the limit, not the worst seed.</param>
internal sealed record Goal(string Name, double Limit, IReadOnlyList<double> Figures, bool ByMean = false)
{
    internal double Mean => Figures.Average();

    internal double Worst => Figures.Max();

    internal bool IsMet => (ByMean ? Mean : Worst) <= Limit;
}
