using HttpResilience.Benchmarks;
using HttpResilience.Simulation;

namespace HttpResilience.IntegrationTests.Simulation;

/// <summary>The command <c>shapes</c> of the benchmarks in a small size: few calls, one shape of each kind.</summary>
public sealed class ShapesTests
{
    private static readonly ShapeLoad Few = new(Clients: 2, CallRate: 10);

    private static readonly ShapeClient[] Clients = [.. ShapeClient.All, .. ShapeClient.Adaptive];

    private static readonly Shape[] Shapes =
    [
        .. Shape.All.Where(s => s.Name is "503 for 5 s" or "silent for 5 s" or "50 % fail at random" or "slow, 8–12 s"
            || s.Name.StartsWith("flapping", StringComparison.Ordinal) || s.Name.StartsWith("half", StringComparison.Ordinal)),
    ];

    [Theory, InlineData(1), InlineData(2)]
    public void All_clients_have_a_line_for_each_shape_and_the_same_seed_gives_the_same_table(int seed)
    {
        string table = Table(Measure(seed), seed);

        table.Split('\n').Count(line => line.StartsWith('|')).ShouldBe(2 + (Shapes.Length * Clients.Length), table);
        Table(Measure(seed), seed).ShouldBe(table);
    }

    [Theory, InlineData(1), InlineData(2)]
    public void In_an_outage_of_5_s_naive_retries_quadruple_the_load_and_the_chain_loses_no_call_after_it(int seed)
    {
        var results = Measure(seed).Where(c => c.Group == "503 for 5 s").ToDictionary(c => c.Client, c => c.Result);

        results[ShapeClient.Naive].MeanIn.ShouldBeGreaterThan(3);
        results[ShapeClient.Ours].MeanIn.ShouldBeLessThan(1);
        results[ShapeClient.Ours].After.Failed.ShouldBe(0);
        results[ShapeClient.Ours].In.Failed.ShouldBeLessThan(results[ShapeClient.Naive].In.Failed / 4);
        results[ShapeClient.Classic].After.Failed.ShouldBeGreaterThan(0);
        results[ShapeClient.Ours].Trips.ShouldBeGreaterThan(0);
    }

    [Fact]
    public void The_plot_names_its_clients() =>
        ShapePlot.Draw(ShapeClient.Compared, seed: 1, Few, static (_, _) => { }).ShouldContain(ShapeClient.Microsoft.Name);

    private static IReadOnlyList<ShapeCell> Measure(int seed) =>
        ShapeTable.Measure(Shapes, [Few], Clients, [seed], static (_, _) => { });

    private static string Table(IReadOnlyList<ShapeCell> cells, int seed) => ShapeTable.Of(cells, [seed]);
}
