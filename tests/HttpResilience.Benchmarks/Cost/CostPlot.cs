using System.Globalization;
using System.Text;

namespace HttpResilience.Benchmarks;

/// <summary>
/// Plots the CPU time that each client adds to a call as bars, as SVG with its own background so that it is readable on a dark page.
/// </summary>
internal static class CostPlot
{
    private const int Width = 900;
    private const int Left = 345;
    private const int Right = 830;
    private const int Top = 100;
    private const int BarHeight = 11;
    private const int RowHeight = 3 * BarHeight + 13;
    private const double Step = 2000;

    private static readonly (CostPeer Peer, string Name, string Color)[] Bars =
    [
        (CostPeer.Ours, "default chain", "#1d4ed8"),
        (CostPeer.Polly, "Polly.Core's pipeline", "#7c3aed"),
        (CostPeer.Microsoft, "Microsoft's standard handler", "#0f766e"),
    ];

    internal static string Draw(IReadOnlyList<CostRow> rows)
    {
        CostRow[] plotted = [.. rows.Where(r => r.Scenario.IsPlotted)];
        if (plotted.Length == 0)
            throw new FormatException("None of these scenarios has bars in the plot.");

        double most = Math.Ceiling(plotted.Max(r => r.Added.Values.Max(c => c.Nanoseconds)) / Step) * Step;
        double X(double nanoseconds) => Left + (Right - Left) * nanoseconds / most;
        int bottom = Top + plotted.Length * RowHeight;
        int height = bottom + 60;

        var svg = new StringBuilder();
        const string Font = "font-family=\"system-ui, 'DejaVu Sans', sans-serif\" font-size=\"13\"";
        Add($"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {height}\" {Font} role=\"img\">");
        Add($"<title>CPU time that each client adds to a call of a bare client: {Summary(plotted[0])}</title>");
        Add($"<rect width=\"{Width}\" height=\"{height}\" rx=\"8\" fill=\"#ffffff\" stroke=\"#d1d5db\"/>");
        const string Title = "font-size=\"17\" font-weight=\"600\" fill=\"#111827\"";
        Add($"<text x=\"30\" y=\"32\" {Title}>CPU time that each client adds to a call</text>");
        int legend = 30;
        foreach (var (_, name, color) in Bars)
        {
            Add($"<rect x=\"{legend}\" y=\"52\" width=\"28\" height=\"{BarHeight}\" fill=\"{color}\"/>");
            Add($"<text x=\"{legend + 36}\" y=\"62\" fill=\"#111827\">{name}</text>");
            legend += 66 + 15 * name.Length / 2;
        }

        for (double value = 0; value <= most; value += Step)
        {
            Add($"<line x1=\"{X(value):0.#}\" y1=\"{Top - 8}\" x2=\"{X(value):0.#}\" y2=\"{bottom}\" stroke=\"#e5e7eb\"/>");
            Add($"<text x=\"{X(value):0.#}\" y=\"{bottom + 18}\" text-anchor=\"middle\" fill=\"#374151\">{value:N0}</text>");
        }

        Add($"<text x=\"{(Left + Right) / 2}\" y=\"{bottom + 42}\" text-anchor=\"middle\" fill=\"#374151\">nanoseconds</text>");
        for (int i = 0; i < plotted.Length; i++)
        {
            int y = Top + i * RowHeight;
            string name = plotted[i].Scenario.Name;
            Add($"<text x=\"{Left - 12}\" y=\"{y + 2 * BarHeight}\" text-anchor=\"end\" fill=\"#111827\">{name}</text>");
            foreach (var (peer, _, color) in Bars)
            {
                if (plotted[i].Of(peer) is { } cost)
                {
                    double end = X(Math.Max(0, cost.Nanoseconds));
                    Add($"<rect x=\"{Left}\" y=\"{y}\" width=\"{end - Left:0.#}\" height=\"{BarHeight - 1}\" fill=\"{color}\"/>");
                    string place = string.Create(CultureInfo.InvariantCulture, $"x=\"{end + 5:0.#}\" y=\"{y + BarHeight - 1}\"");
                    Add($"<text {place} font-size=\"10\" fill=\"#374151\">{cost.Nanoseconds:N0}</text>");
                }

                y += BarHeight;
            }
        }

        Add($"<line x1=\"{Left}\" y1=\"{Top - 8}\" x2=\"{Left}\" y2=\"{bottom}\" stroke=\"#374151\"/>");
        Add($"</svg>");
        return svg.ToString();

        void Add(FormattableString text) => svg.Append(text.ToString(CultureInfo.InvariantCulture)).Append('\n');
    }

    private static string Summary(CostRow row) => string.Join(", ", Bars.Where(b => row.Of(b.Peer) is not null).Select(b =>
        string.Create(CultureInfo.InvariantCulture, $"{row.Of(b.Peer)!.Value.Nanoseconds:N0} ns by {b.Name}"))) + $" ({row.Scenario.Name})";
}
