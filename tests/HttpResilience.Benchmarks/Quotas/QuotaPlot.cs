namespace HttpResilience.Benchmarks;

/// <summary>Plots the calls that an API has granted over time.</summary>
internal static class QuotaPlot
{
    private const int Height = 420;
    private const int Top = 90;
    private const int Bottom = 350;
    private const int Points = 400;
    private const string PauseColor = "#c2410c";
    private const string PaceColor = "#1d4ed8";

    internal static string Draw(QuotaRun pauses, QuotaRun paces)
    {
        double minutes = Math.Max(pauses.Length.TotalMinutes, paces.Length.TotalMinutes);
        string api = $"{pauses.Api.Preset}: {pauses.Api.Documented}";
        var plot = new Plot(
            Height, TimePanel.Left, $"Calls granted over time by {api}: in bursts until the quota is used up, or spread with Pace",
            $"Calls granted, {api}");
        plot.AddLegend($"Preset: {pauses.Server.Rejected} rejected", PauseColor, 260);
        plot.AddLegend($"Preset and Pace: {paces.Server.Rejected} rejected", PaceColor);
        var panel = new TimePanel(plot, Top, Bottom, minutes, TimePanel.MarksTo(QuotaRun.Calls, QuotaRun.Calls / 5));
        panel.AddAxes(step: minutes / 6);
        panel.AddTimeLabel("time in minutes");
        AddCalls(pauses, PauseColor);
        AddCalls(paces, PaceColor);
        return plot.End();

        void AddCalls(QuotaRun run, string color) => panel.AddCurve(
            Enumerable.Range(0, Points + 1).Select(i => minutes * i / Points)
                .Select(minute => (minute, (double)run.Server.Granted.Count(at => at.TotalMinutes <= minute))), color);
    }
}
