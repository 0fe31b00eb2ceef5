using System.Globalization;
using System.Text;

namespace HttpResilience.Benchmarks;

/// <summary>Plots the calls that an API has granted over time as SVG, with its own background, so that a dark page may have it.</summary>
internal static class QuotaPlot
{
    private const int Width = 900;
    private const int Height = 420;
    private const int Left = 80;
    private const int Right = 870;
    private const int Top = 90;
    private const int Bottom = 350;
    private const int Points = 400;
    private const string PauseColor = "#c2410c";
    private const string PaceColor = "#1d4ed8";

    internal static string Draw(QuotaRun pauses, QuotaRun paces)
    {
        double minutes = Math.Max(pauses.Length.TotalMinutes, paces.Length.TotalMinutes);
        double X(double minute) => Left + (Right - Left) * minute / minutes;
        double Y(double calls) => Bottom - (Bottom - Top) * calls / QuotaRun.Calls;

        var svg = new StringBuilder();
        const string Font = "font-family=\"system-ui, 'DejaVu Sans', sans-serif\" font-size=\"13\"";
        string api = $"{pauses.Api.Preset}: {pauses.Api.Documented}";
        Add($"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {Height}\" {Font} role=\"img\">");
        Add($"<title>Calls granted over time by {api}: in bursts until the quota is used up, or spread with Pace</title>");
        Add($"<rect width=\"{Width}\" height=\"{Height}\" rx=\"8\" fill=\"#ffffff\" stroke=\"#d1d5db\"/>");
        Add($"<text x=\"{Left}\" y=\"32\" font-size=\"17\" font-weight=\"600\" fill=\"#111827\">Calls granted, {api}</text>");
        for (int calls = 0; calls <= QuotaRun.Calls; calls += QuotaRun.Calls / 5)
        {
            Add($"<line x1=\"{Left}\" y1=\"{Y(calls):0.#}\" x2=\"{Right}\" y2=\"{Y(calls):0.#}\" stroke=\"#e5e7eb\"/>");
            Add($"<text x=\"{Left - 8}\" y=\"{Y(calls) + 4:0.#}\" text-anchor=\"end\" fill=\"#374151\">{calls:N0}</text>");
        }

        for (double minute = 0; minute <= minutes; minute += minutes / 6)
        {
            Add($"<line x1=\"{X(minute):0.#}\" y1=\"{Bottom}\" x2=\"{X(minute):0.#}\" y2=\"{Bottom + 5}\" stroke=\"#374151\"/>");
            Add($"<text x=\"{X(minute):0.#}\" y=\"{Bottom + 20}\" text-anchor=\"middle\" fill=\"#374151\">{minute:0}</text>");
        }

        Add($"<line x1=\"{Left}\" y1=\"{Bottom}\" x2=\"{Right}\" y2=\"{Bottom}\" stroke=\"#374151\"/>");
        Add($"<text x=\"{(Left + Right) / 2}\" y=\"{Bottom + 44}\" text-anchor=\"middle\" fill=\"#374151\">time in minutes</text>");
        Line(pauses, PauseColor);
        Line(paces, PaceColor);
        Legend(0, PauseColor, $"Preset: {pauses.Server.Rejected} rejected");
        Legend(260, PaceColor, $"Preset and Pace: {paces.Server.Rejected} rejected");
        Add($"</svg>");
        return svg.ToString();

        void Add(FormattableString text) => svg.Append(text.ToString(CultureInfo.InvariantCulture)).Append('\n');

        void Line(QuotaRun run, string color)
        {
            var path = new StringBuilder();
            for (int i = 0; i <= Points; i++)
            {
                double minute = minutes * i / Points;
                int calls = run.Server.Granted.Count(at => at.TotalMinutes <= minute);
                path.Append(CultureInfo.InvariantCulture, $"{(i == 0 ? "M" : "L")}{X(minute):0.#} {Y(calls):0.#}");
            }

            Add($"<path d=\"{path}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>");
        }

        void Legend(int offset, string color, FormattableString text)
        {
            int x = Left + offset;
            Add($"<line x1=\"{x}\" y1=\"58\" x2=\"{x + 28}\" y2=\"58\" stroke=\"{color}\" stroke-width=\"2.5\"/>");
            Add($"<text x=\"{x + 36}\" y=\"62\" fill=\"#111827\">{text.ToString(CultureInfo.InvariantCulture)}</text>");
        }
    }
}
