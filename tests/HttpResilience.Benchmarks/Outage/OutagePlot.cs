using System.Globalization;
using HttpResilience.Simulation;

namespace HttpResilience.Benchmarks;

/// <summary>Plots requests per second at the host over time.</summary>
internal static class OutagePlot
{
    private const int Height = 420;
    private const int Top = 90;
    private const int Bottom = 350;
    private const int Step = 1000;
    private const string NaiveColor = "#c2410c";
    private const string ChainColor = "#1d4ed8";
    private const string NormalColor = "#4b5563";
    private const string NormalDashes = " stroke-dasharray=\"6 4\"";

    internal static string Draw(OutageSimulation simulation, OutageResult naive, OutageResult chain)
    {
        string outage = Text($"a host that is down for {simulation.OutageLength.TotalSeconds} s");
        string loads = Text($"{naive.LoadInOutage:0.0} times the normal load from naive retries, ")
            + Text($"{chain.LoadInOutage:0.00} times from the chain");
        var plot = new Plot(Height, TimePanel.Left, $"Requests per second at {outage}: {loads}", $"Requests to {outage}");
        plot.AddLegend("three retries at once", NaiveColor, 200);
        plot.AddLegend("default chain", ChainColor, 145);
        plot.AddLegend(
            Text($"normal: {simulation.Clients} clients, {simulation.CallRate} calls/s each"), NormalColor, dashes: NormalDashes);

        var panel = new TimePanel(
            plot, Top, Bottom, simulation.Length.TotalSeconds, TimePanel.MarksTo(naive.LoadPerSecond.Max() + 1, Step));
        panel.AddBackground(simulation.OutageFrom.TotalSeconds, simulation.OutageEnd.TotalSeconds, "host answers 503");
        panel.AddAxes(step: 10, "requests per second");
        panel.AddTimeLabel("time in seconds");
        panel.AddLevel(simulation.NormalLoad, NormalColor, NormalDashes);
        panel.AddSteps(naive.LoadPerSecond.Select(load => (double)load), NaiveColor);
        panel.AddSteps(chain.LoadPerSecond.Select(load => (double)load), ChainColor);
        return plot.End();
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
