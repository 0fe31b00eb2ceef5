using System.Globalization;
using System.Text;

namespace HttpResilience.Benchmarks;

/// <summary>A part of a drawing in which values are drawn over time.</summary>
/// <param name="plot">The drawing.</param>
/// <param name="top">The upper edge.</param>
/// <param name="bottom">The lower edge, which is the axis of time.</param>
/// <param name="length">The time at the right edge.</param>
/// <param name="marks">The values with a line across the panel, the smallest and the largest at its edges.</param>
internal sealed class TimePanel(Plot plot, int top, int bottom, double length, IReadOnlyList<double> marks)
{
    internal const int Left = 80;
    internal const int Right = 870;

    /// <summary>Where a value is, such as <see cref="Math.Log10"/>; by default in proportion.</summary>
    internal Func<double, double> Scale { get; init; } = static value => value;

    /// <summary>The marks 0, <paramref name="step"/> and so on up to <paramref name="most"/> or above.</summary>
    internal static IReadOnlyList<double> MarksTo(double most, double step) =>
        [.. Enumerable.Range(0, (int)Math.Ceiling(most / step) + 1).Select(i => i * step)];

    /// <summary>A colored background for a time; it is drawn first.</summary>
    internal void AddBackground(double from, double to, string? label = null)
    {
        plot.Add($"<rect x=\"{X(from):0.#}\" y=\"{top}\" width=\"{X(to) - X(from):0.#}\" height=\"{bottom - top}\" fill=\"#fee2e2\"/>");
        if (label is not null)
            plot.Add($"<text x=\"{X((from + to) / 2):0.#}\" y=\"{top + 18}\" text-anchor=\"middle\" fill=\"#991b1b\">{label}</text>");
    }

    /// <param name="step">The time between two numbers.</param>
    /// <param name="unit">The unit of the values.</param>
    internal void AddAxes(double step, string? unit = null)
    {
        foreach (double mark in marks)
        {
            plot.Add($"<line x1=\"{Left}\" y1=\"{Y(mark):0.#}\" x2=\"{Right}\" y2=\"{Y(mark):0.#}\" stroke=\"{Plot.Grid}\"/>");
            plot.Add($"<text x=\"{Left - 8}\" y=\"{Y(mark) + 4:0.#}\" text-anchor=\"end\" fill=\"{Plot.Ink}\">{mark:N0}</text>");
        }

        for (double at = 0; at <= length; at += step)
        {
            plot.Add($"<line x1=\"{X(at):0.#}\" y1=\"{bottom}\" x2=\"{X(at):0.#}\" y2=\"{bottom + 5}\" stroke=\"{Plot.Ink}\"/>");
            plot.Add($"<text x=\"{X(at):0.#}\" y=\"{bottom + 20}\" text-anchor=\"middle\" fill=\"{Plot.Ink}\">{at:0}</text>");
        }

        plot.Add($"<line x1=\"{Left}\" y1=\"{bottom}\" x2=\"{Right}\" y2=\"{bottom}\" stroke=\"{Plot.Ink}\"/>");
        if (unit is null)
            return;
        string upright = string.Create(CultureInfo.InvariantCulture, $"transform=\"translate(22 {(top + bottom) / 2}) rotate(-90)\"");
        plot.Add($"<text {upright} text-anchor=\"middle\" fill=\"{Plot.Ink}\">{unit}</text>");
    }

    /// <summary>The name of the axis of time.</summary>
    internal void AddTimeLabel(string text) =>
        plot.Add($"<text x=\"{(Left + Right) / 2}\" y=\"{bottom + 44}\" text-anchor=\"middle\" fill=\"{Plot.Ink}\">{text}</text>");

    /// <summary>A line across the panel.</summary>
    internal void AddLevel(double value, string color, string dashes)
    {
        string y = string.Create(CultureInfo.InvariantCulture, $"{Y(value):0.#}");
        plot.Add($"<line x1=\"{Left}\" y1=\"{y}\" x2=\"{Right}\" y2=\"{y}\" stroke=\"{color}\" stroke-width=\"1.5\"{dashes}/>");
    }

    /// <summary>One step for each unit of time, as counted in it.</summary>
    internal void AddSteps(IEnumerable<double> values, string color)
    {
        var path = new StringBuilder();
        foreach (var (at, value) in values.Index())
            path.Append(CultureInfo.InvariantCulture, $"{(at == 0 ? "M" : "L")}{X(at):0.#} {Y(value):0.#}H{X(at + 1):0.#}");
        AddPath(path, color);
    }

    internal void AddCurve(IEnumerable<(double At, double Value)> points, string color)
    {
        var path = new StringBuilder();
        foreach (var (at, value) in points)
            path.Append(CultureInfo.InvariantCulture, $"{(path.Length == 0 ? "M" : "L")}{X(at):0.#} {Y(value):0.#}");
        AddPath(path, color);
    }

    private void AddPath(StringBuilder path, string color) =>
        plot.Add($"<path d=\"{path}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>");

    private double X(double at) => Left + (Right - Left) * at / length;

    private double Y(double value)
    {
        double least = Scale(marks[0]), most = Scale(marks[^1]);
        return bottom - (bottom - top) * (Scale(Math.Clamp(value, marks[0], marks[^1])) - least) / (most - least);
    }
}
