using System.Globalization;
using System.Text;
using HttpResilience.Simulation;

namespace HttpResilience.Benchmarks;

/// <summary>
/// Plots the time of requests at an API whose capacity is halved, and the requests that it answers, per second, as SVG with its own
/// background so that it is readable on a dark page.
/// </summary>
internal static class ConcurrencyPlot
{
    private const int Width = 900;
    private const int Height = 610;
    private const int Left = 80;
    private const int Right = 870;
    private const int PanelHeight = 200;
    private const string Off = "#c2410c";
    private const string Adaptive = "#1d4ed8";

    internal static string Draw(LoadResult off, LoadResult adaptive)
    {
        var svg = new StringBuilder();
        const string Font = "font-family=\"system-ui, 'DejaVu Sans', sans-serif\" font-size=\"13\"";
        Add(svg, $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {Height}\" {Font} role=\"img\">");
        Add(svg, $"<title>An API whose capacity is halved for 60 s, without a limit of concurrency and with an adaptive one</title>");
        Add(svg, $"<rect width=\"{Width}\" height=\"{Height}\" rx=\"8\" fill=\"#ffffff\" stroke=\"#d1d5db\"/>");
        const string Title = "font-size=\"17\" font-weight=\"600\" fill=\"#111827\"";
        Add(svg, $"<text x=\"{Left}\" y=\"32\" {Title}>An API whose capacity is halved for 60 s</text>");
        string load = string.Create(CultureInfo.InvariantCulture, $"50 places, 30 ms each, {LoadScenario.Offered:N0} calls/s");
        Add(svg, $"<text x=\"{Right}\" y=\"32\" text-anchor=\"end\" fill=\"#4b5563\">{load}</text>");
        int x = Left;
        foreach (var (name, color) in ((string, string)[])[("no limit", Off), ("Concurrency:Mode: Adaptive", Adaptive)])
        {
            Add(svg, $"<line x1=\"{x}\" y1=\"58\" x2=\"{x + 28}\" y2=\"58\" stroke=\"{color}\" stroke-width=\"2.5\"/>");
            Add(svg, $"<text x=\"{x + 36}\" y=\"62\" fill=\"#111827\">{name}</text>");
            x += 130;
        }

        Panel(svg, 90, "ms at the API (logarithmic)", [10, 100, 1_000, 10_000, 100_000], Math.Log10, off.StayedPerSecond,
            adaptive.StayedPerSecond);
        Panel(svg, 90 + PanelHeight + 50, "answers per second", [0, 500, 1_000, 1_500, 2_000], static v => v, off.AnsweredPerSecond,
            adaptive.AnsweredPerSecond);
        Add(svg, $"<text x=\"{(Left + Right) / 2}\" y=\"{Height - 26}\" text-anchor=\"middle\" fill=\"#374151\">time in seconds</text>");
        Add(svg, $"</svg>");
        return svg.ToString();
    }

    private static void Panel(
        StringBuilder svg, int top, string unit, double[] marks, Func<double, double> scale, IReadOnlyList<double> off,
        IReadOnlyList<double> adaptive)
    {
        int bottom = top + PanelHeight;
        double seconds = LoadScenario.Length.TotalSeconds;
        double X(double second) => Left + (Right - Left) * second / seconds;
        double Y(double value) =>
            bottom - PanelHeight * (scale(Math.Clamp(value, marks[0], marks[^1])) - scale(marks[0])) / (scale(marks[^1]) - scale(marks[0]));

        double from = X(LoadScenario.HalvedAt.TotalSeconds), to = X(LoadScenario.RestoredAt.TotalSeconds);
        Add(svg, $"<rect x=\"{from:0.#}\" y=\"{top}\" width=\"{to - from:0.#}\" height=\"{PanelHeight}\" fill=\"#fee2e2\"/>");
        foreach (double mark in marks)
        {
            Add(svg, $"<line x1=\"{Left}\" y1=\"{Y(mark):0.#}\" x2=\"{Right}\" y2=\"{Y(mark):0.#}\" stroke=\"#e5e7eb\"/>");
            Add(svg, $"<text x=\"{Left - 8}\" y=\"{Y(mark) + 4:0.#}\" text-anchor=\"end\" fill=\"#374151\">{mark:N0}</text>");
        }

        for (int second = 0; second <= seconds; second += 10)
        {
            Add(svg, $"<line x1=\"{X(second):0.#}\" y1=\"{bottom}\" x2=\"{X(second):0.#}\" y2=\"{bottom + 5}\" stroke=\"#374151\"/>");
            Add(svg, $"<text x=\"{X(second):0.#}\" y=\"{bottom + 20}\" text-anchor=\"middle\" fill=\"#374151\">{second}</text>");
        }

        Add(svg, $"<line x1=\"{Left}\" y1=\"{bottom}\" x2=\"{Right}\" y2=\"{bottom}\" stroke=\"#374151\"/>");
        string upright = string.Create(CultureInfo.InvariantCulture, $"transform=\"translate(22 {(top + bottom) / 2}) rotate(-90)\"");
        Add(svg, $"<text {upright} text-anchor=\"middle\" fill=\"#374151\">{unit}</text>");
        Line(off, Off);
        Line(adaptive, Adaptive);

        void Line(IReadOnlyList<double> values, string color)
        {
            var path = new StringBuilder();
            for (int second = 0; second < values.Count; second++)
            {
                path.Append(CultureInfo.InvariantCulture,
                    $"{(second == 0 ? "M" : "L")}{X(second):0.#} {Y(values[second]):0.#}H{X(second + 1):0.#}");
            }

            Add(svg, $"<path d=\"{path}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>");
        }
    }

    private static void Add(StringBuilder svg, FormattableString text) =>
        svg.Append(text.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
