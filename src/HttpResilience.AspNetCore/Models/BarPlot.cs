using System.Globalization;

namespace HttpResilience.AspNetCore;

/// <summary>A bar as SVG has it.</summary>
internal readonly record struct PlotBar(string Class, string X, string Y, string Width, string Height);

/// <summary>Counts over time: a bar for all, and from the bottom the part that failed.</summary>
/// <param name="All">The counts.</param>
/// <param name="Failed">How many of them failed; empty when none is shown.</param>
internal sealed record BarPlot(IReadOnlyList<long> All, IReadOnlyList<long> Failed)
{
    internal BarPlot(IReadOnlyList<long> all)
        : this(all, [])
    {
    }

    internal long Sum => All.Sum();

    /// <summary>The number at the top of the axis: 1, 2 or 5 with zeros, and even.</summary>
    internal long Top
    {
        get
        {
            long most = Math.Max(2, All.DefaultIfEmpty().Max());
            for (long step = 1; ; step *= 10)
            {
                foreach (long top in (long[])[2 * step, 4 * step, 6 * step, 10 * step])
                {
                    if (top >= most)
                        return top;
                }
            }
        }
    }

    /// <summary>Counts events by time.</summary>
    internal static BarPlot Of(IEnumerable<DateTimeOffset> events, DateTimeOffset until, TimeSpan width, int bars)
    {
        long[] counts = new long[bars];
        foreach (var at in events)
        {
            long age = (until - at).Ticks / width.Ticks;
            if (at <= until && age < bars)
                counts[bars - 1 - age]++;
        }

        return new(counts);
    }

    /// <summary>The same with fewer bars, each the sum of so many.</summary>
    internal BarPlot By(int bars) => new(
        [.. All.Chunk(bars).Select(c => c.Sum())], [.. Failed.Chunk(bars).Select(c => c.Sum())]);

    internal IEnumerable<PlotBar> Bars(double width, double height, double gap)
    {
        double step = width / Math.Max(1, All.Count), most = width > 200 ? Top : Math.Max(1, All.DefaultIfEmpty().Max());
        for (int i = 0; i < All.Count; i++)
        {
            if (All[i] == 0)
                continue;
            yield return Bar("all", i, All[i]);
            if (i < Failed.Count && Failed[i] > 0)
                yield return Bar("fail", i, Failed[i]);
        }

        PlotBar Bar(string name, int i, long count)
        {
            // One call in a thousand is still seen.
            double high = Math.Max(height * count / most, height / 28);
            return new(name, Text(i * step + gap / 2), Text(height - high), Text(step - gap), Text(high));
        }
    }

    private static string Text(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);
}
