using System.Diagnostics;
using System.Globalization;
using HttpResilience.Simulation;

namespace HttpResilience.Benchmarks;

/// <summary><c>shapes</c>: every way in which a host fails, for every client, as one table.</summary>
internal static class ShapesCommand
{
    internal static int Run(CommandOptions options)
    {
        Shape[] shapes = [.. Shape.All.Where(s => s.Group.Contains(options.Only ?? "", StringComparison.OrdinalIgnoreCase))];
        if (shapes.Length == 0)
            throw new FormatException(
                $"No shape has '{options.Only}' in its name: {string.Join("; ", Shape.All.Select(s => s.Group).Distinct())}.");

        var seeds = options.SeedsOr(1);
        var cells = ShapeTable.Measure(shapes, ShapeLoad.All, ShapeClient.All, seeds, Progress(Stopwatch.StartNew()));
        Console.Write(ShapeTable.Of(cells, seeds));
        if (options.Plot is { } plot)
            File.WriteAllText(plot, ShapePlot.Draw(options.Seed, static (_, _) => { }));
        return 0;
    }

    internal static Action<int, int> Progress(Stopwatch watch) => (done, all) =>
        Console.Error.Write(string.Create(
            CultureInfo.InvariantCulture, $"\r{done} of {all} runs, {watch.Elapsed.TotalSeconds:0} s{(done == all ? "\n" : " ")}"));
}
