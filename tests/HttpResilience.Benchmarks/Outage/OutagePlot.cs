using System.Globalization;
using System.Text;
using HttpResilience.Simulation;

namespace HttpResilience.Benchmarks;

/// <summary>Requests per second at the host over time, as SVG. It brings its own background, so that it reads on a dark page, too.</summary>
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
        Add($"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {Height}\" font-family=\"system-ui, 'DejaVu Sans', sans-serif\" font-size=\"13\" role=\"img\">");
        Add($"<title>Requests per second at a host that is down for {simulation.OutageLength.TotalSeconds} s: {naive.LoadInOutage:0.0} times the normal load from naive retries, {chain.LoadInOutage:0.00} times from the chain</title>");
        Add($"<rect width=\"{Width}\" height=\"{Height}\" rx=\"8\" fill=\"#ffffff\" stroke=\"#d1d5db\"/>");
        Add($"<text x=\"{Left}\" y=\"32\" font-size=\"17\" font-weight=\"600\" fill=\"#111827\">What a host sees that is down for {simulation.OutageLength.TotalSeconds} s</text>");

        // The outage, behind everything.
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
        Add($"<text transform=\"translate(22 {(Top + Bottom) / 2}) rotate(-90)\" text-anchor=\"middle\" fill=\"#374151\">requests per second</text>");

        Add($"<line x1=\"{Left}\" y1=\"{Y(simulation.NormalLoad):0.#}\" x2=\"{Right}\" y2=\"{Y(simulation.NormalLoad):0.#}\" stroke=\"{NormalColor}\" stroke-width=\"1.5\" stroke-dasharray=\"6 4\"/>");
        Line(naive, NaiveColor);
        Line(chain, ChainColor);

        Legend(0, NaiveColor, "", $"three retries at once");
        Legend(200, ChainColor, "", $"default chain");
        Legend(345, NormalColor, " stroke-dasharray=\"6 4\"", $"normal: {simulation.Clients} clients, {simulation.CallRate} calls/s each");
        Add($"</svg>");
        return svg.ToString();

        void Add(FormattableString text) => svg.Append(text.ToString(CultureInfo.InvariantCulture)).Append('\n');

        // A step for each second: that is what was counted.
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
            Add($"<line x1=\"{Left + offset}\" y1=\"58\" x2=\"{Left + offset + 28}\" y2=\"58\" stroke=\"{color}\" stroke-width=\"2.5\"{dashes}/>");
            Add($"<text x=\"{Left + offset + 36}\" y=\"62\" fill=\"#111827\">{text.ToString(CultureInfo.InvariantCulture)}</text>");
        }
    }
}
