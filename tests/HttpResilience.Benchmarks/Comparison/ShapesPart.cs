using System.Diagnostics;
using System.Globalization;
using HttpResilience.Simulation;

namespace HttpResilience.Benchmarks;

/// <summary>The ways in which a host fails, with each package, in virtual time.</summary>
internal static class ShapesPart
{
    private const int Seeds = 3;

    private static readonly ShapeLoad Load = ShapeLoad.Many;

    internal static ComparisonResult Run(CommandOptions options)
    {
        var seeds = options.SeedsOr(Seeds);
        var progress = ShapesCommand.Progress(Stopwatch.StartNew());
        var cells = ShapeTable.Measure(Shape.All, [Load], ShapeClient.Compared, seeds, progress);
        string run = string.Create(
            CultureInfo.InvariantCulture, $"{ShapeTable.Seeds(seeds)}, {Load.Clients} clients with {Load.CallRate} calls a second each.");
        return new($"{Environs.Line()} Virtual time, {run}\n\n{ShapeSummary.Of(cells)}")
        {
            Plots = new Dictionary<string, string>
            {
                ["comparison-failures.svg"] = FailurePlot.Draw(cells),
                ["comparison-outage.svg"] = ShapePlot.Draw(ShapeClient.Compared, seeds[0], Load, progress),
            },
        };
    }
}
