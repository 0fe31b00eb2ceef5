using HttpResilience.Benchmarks;
using HttpResilience.Simulation;

namespace HttpResilience.IntegrationTests.Comparison;

public sealed class ShapeSummaryTests
{
    [Fact]
    public void The_fewest_failures_of_a_shape_are_bold_for_each_client_that_has_them()
    {
        var rows = MarkdownTable.RowsOf(ShapeSummary.Of(
        [
            Cell("503", ShapeClient.Microsoft, failedIn: 1000, failedAfter: 5), Cell("503", ShapeClient.Refit, failedIn: 7, failedAfter: 0),
            Cell("slow", ShapeClient.Microsoft, failedIn: 0, failedAfter: 2), Cell("slow", ShapeClient.Refit, failedIn: 2, failedAfter: 0),
        ]));

        rows[0].ShouldBe(["the host", ShapeClient.Microsoft.Name, ShapeClient.Refit.Name, "of calls"]);
        rows[1].ShouldBe(["503", "1,000 / 5", "**7 / 0**", "2,000"]);
        rows[2].ShouldBe(["slow", "**0 / 2**", "**2 / 0**", "2,000"]);
        rows.Count(row => row[0] == "the host").ShouldBe(3);
    }

    private static ShapeCell Cell(string shape, ShapeClient client, double failedIn, double failedAfter) =>
        new(shape, ShapeLoad.Many, client, new()
        {
            MeanIn = 1,
            WorstIn = 1,
            WorstAfter = 1,
            In = new(Calls: 2000, failedIn, P50: 1, P95: 1, P99: 1, Max: 1),
            After = new(Calls: 2000, failedAfter, P50: 1, P95: 1, P99: 1, Max: 1),
            MostWaiting = 0,
            Trips = 0,
        });
}
