using HttpResilience.Simulation;

namespace HttpResilience.Benchmarks;

/// <summary>Plots, for each shape and client, the calls that failed.</summary>
internal static class FailurePlot
{
    private const double Step = 20_000;

    internal static string Draw(IReadOnlyList<ShapeCell> cells)
    {
        ShapeClient[] clients = [.. cells.Select(c => c.Client).Distinct()];
        return new BarPlot(
            "Calls that failed, while the host failed and after it", "calls", Step, [.. clients.Select(c => (c.Name, c.Color))]).Draw(
                $"Calls that failed in each way in which a host fails, with {string.Join(", ", clients.Select(c => c.Name))}",
                [.. cells.GroupBy(c => c.Group).Select(row =>
                    (row.Key, (IReadOnlyList<double?>)[.. row.Select(c => (double?)ShapeSummary.FailuresOf(c.Result))]))]);
    }
}
