using System.Globalization;
using System.Text;

namespace HttpResilience.Benchmarks;

/// <summary>A drawing as SVG with its own background, so that it is readable on a dark page.</summary>
internal sealed class Plot
{
    internal const int Width = 900;

    /// <summary>The color of axes and their numbers.</summary>
    internal const string Ink = "#374151";

    /// <summary>The color of names.</summary>
    internal const string DarkInk = "#111827";

    internal const string Grid = "#e5e7eb";

    private readonly StringBuilder _svg = new();
    private int _legend;

    /// <param name="height">In the units of the drawing, which is 900 wide.</param>
    /// <param name="left">Where the headline and the legend begin.</param>
    /// <param name="title">The text for readers who do not see the drawing.</param>
    /// <param name="headline">The line above it.</param>
    internal Plot(int height, int left, string title, string headline)
    {
        _legend = left;
        const string Font = "font-family=\"system-ui, 'DejaVu Sans', sans-serif\" font-size=\"13\"";
        Add($"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {height}\" {Font} role=\"img\">");
        Add($"<title>{title}</title>");
        Add($"<rect width=\"{Width}\" height=\"{height}\" rx=\"8\" fill=\"#ffffff\" stroke=\"#d1d5db\"/>");
        Add($"<text x=\"{left}\" y=\"32\" font-size=\"17\" font-weight=\"600\" fill=\"{DarkInk}\">{headline}</text>");
    }

    internal void Add(FormattableString text) => _svg.Append(text.ToString(CultureInfo.InvariantCulture)).Append('\n');

    /// <summary>A note at the right of the headline.</summary>
    internal void AddNote(string text) =>
        Add($"<text x=\"{TimePanel.Right}\" y=\"32\" text-anchor=\"end\" fill=\"#4b5563\">{text}</text>");

    /// <summary>The name of a line.</summary>
    /// <param name="name">The name.</param>
    /// <param name="color">The color of the line.</param>
    /// <param name="width">To the next name; by default as long as this one needs.</param>
    /// <param name="dashes">The attribute that makes the line dashed.</param>
    internal void AddLegend(string name, string color, int? width = null, string dashes = "")
    {
        Add($"<line x1=\"{_legend}\" y1=\"58\" x2=\"{_legend + 28}\" y2=\"58\" stroke=\"{color}\" stroke-width=\"2.5\"{dashes}/>");
        AddName(name, width ?? 50 + 13 * name.Length / 2);
    }

    /// <summary>The name of a bar.</summary>
    internal void AddBarLegend(string name, string color, int height)
    {
        Add($"<rect x=\"{_legend}\" y=\"52\" width=\"28\" height=\"{height}\" fill=\"{color}\"/>");
        AddName(name, 66 + 15 * name.Length / 2);
    }

    private void AddName(string name, int width)
    {
        Add($"<text x=\"{_legend + 36}\" y=\"62\" fill=\"{DarkInk}\">{name}</text>");
        _legend += width;
    }

    /// <summary>The whole drawing.</summary>
    internal string End()
    {
        Add($"</svg>");
        return _svg.ToString();
    }
}
