namespace HttpResilience.PageTests.Models;

public sealed class BarPlotTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 28, 3, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Events_are_counted_by_their_age()
    {
        var plot = BarPlot.Of(
            [Now, Now.AddMinutes(-59), Now.AddHours(-1), Now.AddHours(-3).AddTicks(1), Now.AddHours(-3), Now.AddSeconds(1)], Now,
            TimeSpan.FromHours(1), 3);
        plot.All.ShouldBe([1, 1, 2]);
        plot.Sum.ShouldBe(4);
    }

    [Theory]
    [InlineData(0, 2)]
    [InlineData(3, 4)]
    [InlineData(5, 6)]
    [InlineData(7, 10)]
    [InlineData(11, 20)]
    [InlineData(39, 40)]
    [InlineData(61, 100)]
    [InlineData(1_000_001, 2_000_000)]
    public void The_axis_ends_at_an_even_round_number(long most, long top) => new BarPlot([most]).Top.ShouldBe(top);

    [Fact]
    public void The_part_that_failed_is_drawn_from_the_bottom_and_always_seen()
    {
        var bars = new BarPlot([1000, 0, 500], [1, 0, 500]).Bars(120, 28, 1.5).ToList();
        bars.Select(b => b.Class).ShouldBe(["all", "fail", "all", "fail"]);
        bars[0].ShouldBe(new("all", "0.75", "0", "38.5", "28"));
        bars[1].ShouldBe(new("fail", "0.75", "27", "38.5", "1"));
        bars[3].Y.ShouldBe(bars[2].Y);
    }
}
