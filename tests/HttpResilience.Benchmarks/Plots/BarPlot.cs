using System.Globalization;

namespace HttpResilience.Benchmarks;

/// <summary>Rows of bars, one for each thing that is compared.</summary>
/// <param name="Headline">The line above it.</param>
/// <param name="Unit">The unit of the values.</param>
/// <param name="Step">The distance of two numbers on the axis.</param>
/// <param name="Bars">The things that are compared.</param>
internal sealed record BarPlot(string Headline, string Unit, double Step, IReadOnlyList<(string Name, string Color)> Bars)
{
    private const int Margin = 30;
    private const int Left = 345;
    private const int Right = 830;
    private const int Top = 100;
    private const int BarHeight = 11;

    /// <param name="title">The text for readers who do not see the drawing.</param>
    /// <param name="rows">For each row its name and the values of the bars; null for a bar that is not there.</param>
    internal string Draw(string title, IReadOnlyList<(string Name, IReadOnlyList<double?> Values)> rows)
    {
        int rowHeight = Bars.Count * BarHeight + 13;
        int bottom = Top + rows.Count * rowHeight;
        double most = Math.Ceiling(rows.Max(r => r.Values.Max() ?? 0) / Step) * Step;
        var plot = new Plot(bottom + 60, Margin, title, Headline);
        foreach (var (name, color) in Bars)
            plot.AddBarLegend(name, color, BarHeight);
        for (double value = 0; value <= most; value += Step)
        {
            plot.Add($"<line x1=\"{X(value):0.#}\" y1=\"{Top - 8}\" x2=\"{X(value):0.#}\" y2=\"{bottom}\" stroke=\"{Plot.Grid}\"/>");
            plot.Add($"<text x=\"{X(value):0.#}\" y=\"{bottom + 18}\" text-anchor=\"middle\" fill=\"{Plot.Ink}\">{value:N0}</text>");
        }

        plot.Add($"<text x=\"{(Left + Right) / 2}\" y=\"{bottom + 42}\" text-anchor=\"middle\" fill=\"{Plot.Ink}\">{Unit}</text>");
        foreach (var (row, (name, values)) in rows.Index())
        {
            int y = Top + row * rowHeight;
            int middle = y + (Bars.Count + 1) * BarHeight / 2;
            plot.Add($"<text x=\"{Left - 12}\" y=\"{middle}\" text-anchor=\"end\" fill=\"{Plot.DarkInk}\">{name}</text>");
            foreach (var (bar, value) in values.Index())
            {
                if (value is { } length)
                    AddBar(y + bar * BarHeight, length, Bars[bar].Color);
            }
        }

        plot.Add($"<line x1=\"{Left}\" y1=\"{Top - 8}\" x2=\"{Left}\" y2=\"{bottom}\" stroke=\"{Plot.Ink}\"/>");
        return plot.End();

        double X(double value) => Left + (Right - Left) * value / most;

        void AddBar(int y, double value, string color)
        {
            double end = X(Math.Max(0, value));
            plot.Add($"<rect x=\"{Left}\" y=\"{y}\" width=\"{end - Left:0.#}\" height=\"{BarHeight - 1}\" fill=\"{color}\"/>");
            string place = string.Create(CultureInfo.InvariantCulture, $"x=\"{end + 5:0.#}\" y=\"{y + BarHeight - 1}\"");
            plot.Add($"<text {place} font-size=\"10\" fill=\"{Plot.Ink}\">{value:N0}</text>");
        }
    }
}
