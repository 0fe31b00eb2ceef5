namespace HttpResilience.Benchmarks;

/// <summary><c>cost</c>: what a call costs with each client, as one table.</summary>
internal static class CostCommand
{
    private const int Rounds = 80;
    private const int QuickRounds = 10;

    internal static int Run(CommandOptions options)
    {
        CostScenario[] scenarios =
        [
            .. CostScenarios.All.Where(s => s.Name.Contains(options.Only ?? "", StringComparison.OrdinalIgnoreCase)),
        ];
        if (scenarios.Length == 0)
        {
            throw new FormatException(
                $"'{options.Only}' is in none of the names: {string.Join("; ", CostScenarios.All.Select(s => s.Name))}.");
        }

        var rows = Measure(scenarios, RoundsOf(options));
        Console.Write(CostTable.Of(rows));
        if (options.Plot is { } plot)
            File.WriteAllText(plot, CostPlot.Draw(rows));
        return 0;
    }

    internal static int RoundsOf(CommandOptions options) => options.Rounds ?? (options.IsQuick ? QuickRounds : Rounds);

    internal static IReadOnlyList<CostRow> Measure(IReadOnlyList<CostScenario> scenarios, int rounds)
    {
        List<CostRow> rows = [];
        foreach (var scenario in scenarios)
        {
            Console.Error.WriteLine($"{rows.Count + 1} of {scenarios.Count}: {scenario.Name}");
            rows.Add(scenario.Measure(rounds));
        }

        return rows;
    }
}
