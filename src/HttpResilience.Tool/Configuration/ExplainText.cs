using System.Globalization;
using Spectre.Console;

namespace HttpResilience.Tool;

/// <summary>Prints explained clients for people.</summary>
internal static class ExplainText
{
    internal static void Write(ExplainedClient client)
    {
        Output.Write($"{client.Name}{(client.BaseAddress is { } address ? $" → {address}" : "")}");
        Output.Write(client.Chain);
        var stages = new Grid().AddColumn(new GridColumn().NoWrap().RightAligned().PadLeft(2).PadRight(1))
            .AddColumn(new GridColumn().NoWrap().PadRight(2)).AddColumn();
        foreach (var (index, stage) in client.Stages.Index())
            AddRow(stages, (index + 1).ToString(CultureInfo.InvariantCulture), stage.Name, stage.Words);
        AddRow(stages, "", "your handlers", "run once for each attempt");
        Output.Result.WriteLine();
        Output.Result.Write(stages);
        Write("setting", client.Settings);
        foreach (var route in client.Routes)
            Write($"for {route.Route}", route.Settings);
        Output.Result.WriteLine();
    }

    private static void Write(string title, IReadOnlyList<ExplainedSetting> settings)
    {
        if (settings.Count == 0)
            return;
        var table = new Table().Border(TableBorder.Rounded)
            .AddColumn(new TableColumn(new Text(VisibleText.Of(title)))).AddColumn("value").AddColumn(new TableColumn("where").NoWrap());
        foreach (var setting in settings)
            table.AddRow(Cell(setting.Key), Cell(setting.Value), Cell(setting.Place ?? "default of the package"));
        Output.Result.Write(table);
    }

    private static void AddRow(Grid grid, params string[] cells) => grid.AddRow([.. cells.Select(Cell)]);

    private static Text Cell(string text) => new(VisibleText.Of(text));
}
