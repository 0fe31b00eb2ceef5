using System.Globalization;

namespace HttpResilience.Benchmarks;

/// <summary>The cost of a call with each package.</summary>
internal static class CostPart
{
    internal static ComparisonResult Run(CommandOptions options)
    {
        int rounds = CostCommand.RoundsOf(options);
        var rows = CostCommand.Measure(CostScenarios.All, rounds);
        string run = string.Create(CultureInfo.InvariantCulture, $"{Environs.Line()} Medians of {rounds} rounds.");
        return new($"{run}\n\n{CostTable.Of(rows)}")
        {
            Plots = new Dictionary<string, string> { ["cost.svg"] = CostPlot.Draw(rows) },
        };
    }
}
