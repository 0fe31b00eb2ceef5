using System.Globalization;
using System.Text;
using HttpResilience.Simulation;

namespace HttpResilience.Benchmarks;

/// <summary>
/// Plots, for a short outage, the requests per second at the host and the calls that fail, as SVG with its own background so that it is
/// readable on a dark page.
/// </summary>
internal static class ShapePlot
{
    private const int Width = 900;
    private const int Height = 610;
    private const int Left = 80;
    private const int Right = 870;
    private const int PanelHeight = 200;
    private const string Background = "#4b5563";

    private static readonly (ShapeClient Client, string Color)[] Lines =
    [
        (ShapeClient.Naive, "#c2410c"), (ShapeClient.Classic, "#7c3aed"), (ShapeClient.Microsoft, "#0f766e"), (ShapeClient.Ours, "#1d4ed8"),
    ];

    internal static string Draw(int seed, ShapeLoad load, Action<int, int> progress)
    {
        var shape = Shape.All.First(s => s.Name == "503 for 5 s");
        var results = Simulations.Run(
            [.. Lines.Select(l => (Func<ShapeResult>)(() => new ShapeRun(shape, load, seed).Run(l.Client)))], progress);
        var svg = new StringBuilder();
        const string Font = "font-family=\"system-ui, 'DejaVu Sans', sans-serif\" font-size=\"13\"";
        string failures = string.Join(", ", Lines.Zip(results, (line, r) =>
            string.Create(CultureInfo.InvariantCulture, $"{r.In.Failed + r.After.Failed:N0} with {line.Client.Name}")));
        Add(svg, $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {Height}\" {Font} role=\"img\">");
        Add(svg, $"<title>A host that answers 503 for 5 s; calls that fail: {failures}</title>");
        Add(svg, $"<rect width=\"{Width}\" height=\"{Height}\" rx=\"8\" fill=\"#ffffff\" stroke=\"#d1d5db\"/>");
        const string Title = "font-size=\"17\" font-weight=\"600\" fill=\"#111827\"";
        Add(svg, $"<text x=\"{Left}\" y=\"32\" {Title}>A host that answers 503 for 5 s</text>");
        string normal = string.Create(CultureInfo.InvariantCulture, $"{load.Clients} clients, {load.CallRate} calls/s each");
        Add(svg, $"<text x=\"{Right}\" y=\"32\" text-anchor=\"end\" fill=\"{Background}\">{normal}</text>");
        int x = Left;
        foreach (var (client, color) in Lines)
        {
            Add(svg, $"<line x1=\"{x}\" y1=\"58\" x2=\"{x + 28}\" y2=\"58\" stroke=\"{color}\" stroke-width=\"2.5\"/>");
            Add(svg, $"<text x=\"{x + 36}\" y=\"62\" fill=\"#111827\">{client.Name}</text>");
            x += 50 + 13 * client.Name.Length / 2;
        }

        Panel(svg, shape, top: 90, step: 1000, "requests per second", results, r => r.RequestsPerSecond);
        Panel(svg, shape, top: 90 + PanelHeight + 50, step: 250, "failed calls per second", results, r => r.FailuresPerSecond);
        Add(svg, $"<text x=\"{(Left + Right) / 2}\" y=\"{Height - 26}\" text-anchor=\"middle\" fill=\"#374151\">time in seconds</text>");
        Add(svg, $"</svg>");
        return svg.ToString();
    }

    private static void Panel(
        StringBuilder svg, Shape shape, int top, int step, string unit, IReadOnlyList<ShapeResult> results,
        Func<ShapeResult, IReadOnlyList<int>> values)
    {
        int bottom = top + PanelHeight;
        double seconds = shape.Length.TotalSeconds;
        int most = results.Max(r => (values(r).Max() + step - 1) / step * step);
        double X(double second) => Left + (Right - Left) * second / seconds;
        double Y(double value) => bottom - PanelHeight * value / most;

        // The outage is the background.
        double from = X(shape.From.TotalSeconds), to = X(shape.To.TotalSeconds);
        Add(svg, $"<rect x=\"{from:0.#}\" y=\"{top}\" width=\"{to - from:0.#}\" height=\"{PanelHeight}\" fill=\"#fee2e2\"/>");
        for (int value = 0; value <= most; value += step)
        {
            Add(svg, $"<line x1=\"{Left}\" y1=\"{Y(value):0.#}\" x2=\"{Right}\" y2=\"{Y(value):0.#}\" stroke=\"#e5e7eb\"/>");
            Add(svg, $"<text x=\"{Left - 8}\" y=\"{Y(value) + 4:0.#}\" text-anchor=\"end\" fill=\"#374151\">{value:N0}</text>");
        }

        for (int second = 0; second <= seconds; second += 10)
        {
            Add(svg, $"<line x1=\"{X(second):0.#}\" y1=\"{bottom}\" x2=\"{X(second):0.#}\" y2=\"{bottom + 5}\" stroke=\"#374151\"/>");
            Add(svg, $"<text x=\"{X(second):0.#}\" y=\"{bottom + 20}\" text-anchor=\"middle\" fill=\"#374151\">{second}</text>");
        }

        Add(svg, $"<line x1=\"{Left}\" y1=\"{bottom}\" x2=\"{Right}\" y2=\"{bottom}\" stroke=\"#374151\"/>");
        string upright = string.Create(CultureInfo.InvariantCulture, $"transform=\"translate(22 {(top + bottom) / 2}) rotate(-90)\"");
        Add(svg, $"<text {upright} text-anchor=\"middle\" fill=\"#374151\">{unit}</text>");
        foreach (var ((_, color), result) in Lines.Zip(results))
            Line(values(result), color);

        // One step per second, as counted.
        void Line(IReadOnlyList<int> counts, string color)
        {
            var path = new StringBuilder();
            for (int second = 0; second < counts.Count; second++)
            {
                double y = Y(counts[second]);
                path.Append(CultureInfo.InvariantCulture, $"{(second == 0 ? "M" : "L")}{X(second):0.#} {y:0.#}H{X(second + 1):0.#}");
            }

            Add(svg, $"<path d=\"{path}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>");
        }
    }

    private static void Add(StringBuilder svg, FormattableString text) =>
        svg.Append(text.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
