using System.Diagnostics;
using System.Globalization;
using HttpResilience.Simulation;

namespace HttpResilience.Benchmarks;

/// <summary><c>shapes</c>: every way in which a host fails, for every client, as one table.</summary>
internal static class ShapesCommand
{
    private static readonly ShapeClient[] Plotted = [ShapeClient.Naive, ShapeClient.Classic, ShapeClient.Microsoft, ShapeClient.Ours];

    internal static int Run(CommandOptions options)
    {
        ShapeClient[] clients = [.. ShapeClient.All, .. options.With switch
        {
            null => [],
            "adaptive" => ShapeClient.Adaptive,
            var unknown => throw new FormatException($"Nothing is called '{unknown}'; see --help."),
        }];
        var seeds = options.SeedsOr(1);
        var cells = ShapeTable.Measure(
            Only(Shape.All, s => s.Group, options.Only), ShapeLoad.All, Only(clients, c => c.Name, options.Client), seeds,
            Progress(Stopwatch.StartNew()));
        Console.Write(ShapeTable.Of(cells, seeds));
        if (options.Plot is { } plot)
            File.WriteAllText(plot, ShapePlot.Draw(Plotted, options.Seed, ShapeLoad.Many, static (_, _) => { }));
        return 0;
    }

    internal static Action<int, int> Progress(Stopwatch watch) => (done, all) => Console.Error.Write(string.Create(
        CultureInfo.InvariantCulture, $"\r{done} of {all} runs, {watch.Elapsed.TotalSeconds:0} s{(done == all ? "\n" : " ")}"));

    private static T[] Only<T>(IReadOnlyList<T> all, Func<T, string> name, string? part)
    {
        T[] some = [.. all.Where(t => name(t).Contains(part ?? "", StringComparison.OrdinalIgnoreCase))];
        return some.Length > 0 ? some
            : throw new FormatException($"'{part}' is in none of the names: {string.Join("; ", all.Select(name).Distinct())}.");
    }
}
