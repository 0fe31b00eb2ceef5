using System.Globalization;
using Spectre.Console;

namespace HttpResilience.Tool;

/// <summary>Prints the figures of a simulation for people.</summary>
internal static class SimulationText
{
    private static readonly string[] Columns =
        ["the host", "failed", "after it", "took: half", "95 %", "longest", "load", "worst second"];

    internal static void Write(SimulationReport report)
    {
        Output.Write(Invariant(
            $"{report.Client}: {report.Request}, {report.Instances} instances, {report.CallsPerSecond} calls/s each, seed {report.Seed}"));
        var table = new Table().Border(TableBorder.Rounded);
        foreach (string column in Columns)
            table.AddColumn(column == Columns[0] ? new TableColumn(column).NoWrap() : new TableColumn(column).RightAligned());
        foreach (var shape in report.Shapes)
        {
            table.AddRow(((string[])
            [
                shape.Shape, Invariant($"{shape.Failed:N0} of {shape.Calls:N0}"), Invariant($"{shape.FailedAfter:N0}"),
                ChainWords.Time(TimeSpan.FromSeconds(shape.P50)), ChainWords.Time(TimeSpan.FromSeconds(shape.P95)),
                ChainWords.Time(TimeSpan.FromSeconds(shape.Longest)), Invariant($"{shape.Load:0.00} ×"),
                Invariant($"{shape.WorstSecond:0.00} ×"),
            ]).Select(cell => new Text(cell)));
        }

        Output.Result.Write(table);
        Output.Write("failed and took: the calls that began while the host failed; after it: failed that began later. load: requests to "
            + "the host in that time, as a "
            + "multiple of the calls; worst second: also afterwards.");
        foreach (string note in report.LeftOut)
            Output.Write($"Not simulated: {note}.");
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
