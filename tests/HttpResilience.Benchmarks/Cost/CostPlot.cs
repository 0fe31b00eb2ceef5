using System.Globalization;

namespace HttpResilience.Benchmarks;

/// <summary>Plots the CPU time that each client adds to a call as bars.</summary>
internal static class CostPlot
{
    private const double Step = 2000;

    private static readonly (CostPeer Peer, string Name, string Color)[] Bars =
    [
        (CostPeer.Ours, "default chain", "#1d4ed8"),
        (CostPeer.Polly, "Polly.Core's pipeline", "#7c3aed"),
        (CostPeer.Microsoft, "Microsoft's standard handler", "#0f766e"),
        (CostPeer.Refit, "Refit's retry handler", "#c2410c"),
    ];

    internal static string Draw(IReadOnlyList<CostRow> rows)
    {
        CostRow[] plotted = [.. rows.Where(r => r.Scenario.IsPlotted)];
        if (plotted.Length == 0)
            throw new FormatException("None of these scenarios has bars in the plot.");

        var bars = Bars.Where(b => plotted.Any(r => r.Of(b.Peer) is not null)).ToArray();
        string summary = string.Join(", ", bars.Where(b => plotted[0].Of(b.Peer) is not null).Select(b =>
            string.Create(CultureInfo.InvariantCulture, $"{plotted[0].Of(b.Peer)!.Value.Nanoseconds:N0} ns by {b.Name}")));
        return new BarPlot("CPU time that each client adds to a call", "nanoseconds", Step, [.. bars.Select(b => (b.Name, b.Color))]).Draw(
            $"CPU time that each client adds to a call of a bare client: {summary} ({plotted[0].Scenario.Name})",
            [.. plotted.Select(r => (r.Scenario.Name, (IReadOnlyList<double?>)[.. bars.Select(b => r.Of(b.Peer)?.Nanoseconds)]))]);
    }
}
