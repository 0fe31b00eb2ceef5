using System.Globalization;
using HttpResilience.Simulation;

namespace HttpResilience.Benchmarks;

/// <summary>Plots the time of requests at an API whose capacity is halved, and the requests that it answers, per second.</summary>
internal static class ConcurrencyPlot
{
    private const int Height = 610;
    private const int PanelHeight = 200;
    private const string Off = "#c2410c";
    private const string Adaptive = "#1d4ed8";

    internal static string Draw(LoadResult off, LoadResult adaptive)
    {
        var plot = new Plot(
            Height, TimePanel.Left, "An API whose capacity is halved for 60 s, without a limit of concurrency and with an adaptive one",
            "An API whose capacity is halved for 60 s");
        plot.AddNote(string.Create(CultureInfo.InvariantCulture, $"50 places, 30 ms each, {LoadScenario.Offered:N0} calls/s"));
        plot.AddLegend("no limit", Off, 130);
        plot.AddLegend("Concurrency:Mode: Adaptive", Adaptive);
        AddPanel(90, "ms at the API (logarithmic)", [10, 100, 1_000, 10_000, 100_000], Math.Log10, r => r.StayedPerSecond);
        AddPanel(90 + PanelHeight + 50, "answers per second", [0, 500, 1_000, 1_500, 2_000], static v => v, r => r.AnsweredPerSecond)
            .AddTimeLabel("time in seconds");
        return plot.End();

        TimePanel AddPanel(
            int top, string unit, double[] marks, Func<double, double> scale, Func<LoadResult, IReadOnlyList<double>> values)
        {
            var panel = new TimePanel(plot, top, top + PanelHeight, LoadScenario.Length.TotalSeconds, marks) { Scale = scale };
            panel.AddBackground(LoadScenario.HalvedAt.TotalSeconds, LoadScenario.RestoredAt.TotalSeconds);
            panel.AddAxes(step: 10, unit);
            panel.AddSteps(values(off), Off);
            panel.AddSteps(values(adaptive), Adaptive);
            return panel;
        }
    }
}
