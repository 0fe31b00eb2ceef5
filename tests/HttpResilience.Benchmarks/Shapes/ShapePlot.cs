using System.Globalization;
using HttpResilience.Simulation;

namespace HttpResilience.Benchmarks;

/// <summary>Plots, for a short outage, the requests per second at the host and the calls that fail.</summary>
internal static class ShapePlot
{
    private const int Height = 610;
    private const int PanelHeight = 200;

    internal static string Draw(IReadOnlyList<ShapeClient> clients, int seed, ShapeLoad load, Action<int, int> progress)
    {
        var shape = Shape.All.First(s => s.Name == "503 for 5 s");
        var results = Simulations.Run(
            [.. clients.Select(client => (Func<ShapeResult>)(() => client.Run(shape, load, seed)))], progress);
        string failures = string.Join(", ", clients.Zip(results, (client, r) =>
            string.Create(CultureInfo.InvariantCulture, $"{r.In.Failed + r.After.Failed:N0} with {client.Name}")));
        var plot = new Plot(
            Height, TimePanel.Left, $"A host that answers 503 for 5 s; calls that fail: {failures}", "A host that answers 503 for 5 s");
        plot.AddNote(string.Create(CultureInfo.InvariantCulture, $"{load.Clients} clients, {load.CallRate} calls/s each"));
        foreach (var client in clients)
            plot.AddLegend(client.Name, client.Color);
        AddPanel(top: 90, step: 1000, "requests per second", r => r.RequestsPerSecond);
        AddPanel(top: 90 + PanelHeight + 50, step: 250, "failed calls per second", r => r.FailuresPerSecond)
            .AddTimeLabel("time in seconds");
        return plot.End();

        TimePanel AddPanel(int top, int step, string unit, Func<ShapeResult, IReadOnlyList<int>> values)
        {
            var panel = new TimePanel(
                plot, top, top + PanelHeight, shape.Length.TotalSeconds, TimePanel.MarksTo(results.Max(r => values(r).Max()), step));
            panel.AddBackground(shape.From.TotalSeconds, shape.To.TotalSeconds);
            panel.AddAxes(step: 10, unit);
            foreach (var (client, result) in clients.Zip(results))
                panel.AddSteps(values(result).Select(count => (double)count), client.Color);
            return panel;
        }
    }
}
