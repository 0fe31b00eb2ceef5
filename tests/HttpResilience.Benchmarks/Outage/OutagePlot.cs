using System.Globalization;
using System.Text;
using HttpResilience.Simulation;

namespace HttpResilience.Benchmarks;

/// <summary>
/// Plots requests per second at the host over time as SVG, with its own background so that it is readable on a dark page.
/// </summary>
internal static class OutagePlot
{
    private const int Width = 900;
    private const int Height = 420;
    private const int Left = 80;
    private const int Right = 870;
    private const int Top = 90;
    private const int Bottom = 350;
    private const int Step = 1000;
    private const string NaiveColor = "#c2410c";
    private const string ChainColor = "#1d4ed8";
    private const string NormalColor = "#4b5563";

    internal static string Draw(OutageSimulation simulation, OutageResult naive, OutageResult chain)
    {
        double seconds = simulation.Length.TotalSeconds;
        int most = (naive.LoadPerSecond.Max() / Step + 1) * Step;
        double X(double second) => Left + (Right - Left) * second / seconds;
        double Y(double load) => Bottom - (Bottom - Top) * load / most;

        var svg = new StringBuilder();
        const string Font = "font-family=\"system-ui, 'DejaVu Sans', sans-serif\" font-size=\"13\"";
        string outage = string.Create(CultureInfo.InvariantCulture, $"a host that is down for {simulation.OutageLength.TotalSeconds} s");
        string loads = string.Create(CultureInfo.InvariantCulture,
            $"{naive.LoadInOutage:0.0} times the normal load from naive retries, {chain.LoadInOutage:0.00} times from the chain");
        Add($"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {Height}\" {Font} role=\"img\">");
        Add($"<title>Requests per second at {outage}: {loads}</title>");
        Add($"<rect width=\"{Width}\" height=\"{Height}\" rx=\"8\" fill=\"#ffffff\" stroke=\"#d1d5db\"/>");
        Add($"<text x=\"{Left}\" y=\"32\" font-size=\"17\" font-weight=\"600\" fill=\"#111827\">Requests to {outage}</text>");

        // The outage is drawn first, as the background.
        double from = X(simulation.OutageFrom.TotalSeconds), to = X(simulation.OutageEnd.TotalSeconds);
        Add($"<rect x=\"{from:0.#}\" y=\"{Top}\" width=\"{to - from:0.#}\" height=\"{Bottom - Top}\" fill=\"#fee2e2\"/>");
        Add($"<text x=\"{(from + to) / 2:0.#}\" y=\"{Top + 18}\" text-anchor=\"middle\" fill=\"#991b1b\">host answers 503</text>");

        for (int load = 0; load <= most; load += Step)
        {
            Add($"<line x1=\"{Left}\" y1=\"{Y(load):0.#}\" x2=\"{Right}\" y2=\"{Y(load):0.#}\" stroke=\"#e5e7eb\"/>");
            Add($"<text x=\"{Left - 8}\" y=\"{Y(load) + 4:0.#}\" text-anchor=\"end\" fill=\"#374151\">{load:N0}</text>");
        }

        for (int second = 0; second <= seconds; second += 10)
        {
            Add($"<line x1=\"{X(second):0.#}\" y1=\"{Bottom}\" x2=\"{X(second):0.#}\" y2=\"{Bottom + 5}\" stroke=\"#374151\"/>");
            Add($"<text x=\"{X(second):0.#}\" y=\"{Bottom + 20}\" text-anchor=\"middle\" fill=\"#374151\">{second}</text>");
        }

        Add($"<line x1=\"{Left}\" y1=\"{Bottom}\" x2=\"{Right}\" y2=\"{Bottom}\" stroke=\"#374151\"/>");
        Add($"<text x=\"{(Left + Right) / 2}\" y=\"{Bottom + 44}\" text-anchor=\"middle\" fill=\"#374151\">time in seconds</text>");
        string upright = string.Create(CultureInfo.InvariantCulture, $"transform=\"translate(22 {(Top + Bottom) / 2}) rotate(-90)\"");
        Add($"<text {upright} text-anchor=\"middle\" fill=\"#374151\">requests per second</text>");

        const string NormalStroke = $"stroke=\"{NormalColor}\" stroke-width=\"1.5\" stroke-dasharray=\"6 4\"";
        double normal = Y(simulation.NormalLoad);
        Add($"<line x1=\"{Left}\" y1=\"{normal:0.#}\" x2=\"{Right}\" y2=\"{normal:0.#}\" {NormalStroke}/>");
        Line(naive, NaiveColor);
        Line(chain, ChainColor);

        Legend(0, NaiveColor, "", $"three retries at once");
        Legend(200, ChainColor, "", $"default chain");
        Legend(345, NormalColor, " stroke-dasharray=\"6 4\"", $"normal: {simulation.Clients} clients, {simulation.CallRate} calls/s each");
        Add($"</svg>");
        return svg.ToString();

        void Add(FormattableString text) => svg.Append(text.ToString(CultureInfo.InvariantCulture)).Append('\n');

        // One step per second, as counted.
        void Line(OutageResult result, string color)
        {
            var path = new StringBuilder();
            for (int second = 0; second < result.LoadPerSecond.Count; second++)
            {
                double y = Y(result.LoadPerSecond[second]);
                path.Append(CultureInfo.InvariantCulture, $"{(second == 0 ? "M" : "L")}{X(second):0.#} {y:0.#}H{X(second + 1):0.#}");
            }

            Add($"<path d=\"{path}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>");
        }

        void Legend(int offset, string color, string dashes, FormattableString text)
        {
            int x = Left + offset;
            Add($"<line x1=\"{x}\" y1=\"58\" x2=\"{x + 28}\" y2=\"58\" stroke=\"{color}\" stroke-width=\"2.5\"{dashes}/>");
            Add($"<text x=\"{x + 36}\" y=\"62\" fill=\"#111827\">{text.ToString(CultureInfo.InvariantCulture)}</text>");
        }
    }
}
