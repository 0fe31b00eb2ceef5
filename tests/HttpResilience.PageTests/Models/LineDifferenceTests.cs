namespace HttpResilience.PageTests.Models;

public sealed class LineDifferenceTests
{
    [Theory]
    [InlineData("a\nb\nc", "a\nb\nc", " a, b, c")]
    [InlineData("a\nb\nc", "a\nx\nc", " a,-b,+x, c")]
    [InlineData("a\nb", "a\nb\nc", " a, b,+c")]
    [InlineData("a\nb\nc", "b\nc", "-a, b, c")]
    [InlineData("a\r\nb", "a\nb", " a, b")]
    [InlineData("", "x", "-,+x")]
    [InlineData("a\na\na", "a\na", " a, a,-a")]
    [InlineData("a\nb\nc\nd", "a\nc\nb\nd", " a,-b, c,+b, d")]
    public void Each_line_stays_goes_or_comes(string before, string after, string lines) =>
        string.Join(',', LineDifference.Of(before, after).Select(l => $"{l.Kind}{l.Text}")).ShouldBe(lines);

    [Fact]
    public void Both_texts_can_be_made_of_it_again()
    {
        var random = new Random(4711);
        for (int i = 0; i < 500; i++)
        {
            string[] before = Lines(random), after = Lines(random);
            var lines = LineDifference.Of(string.Join('\n', before), string.Join('\n', after));
            lines.Where(l => l.Kind != '+').Select(l => l.Text).ShouldBe(before);
            lines.Where(l => l.Kind != '-').Select(l => l.Text).ShouldBe(after);
        }

        static string[] Lines(Random random) => [.. Enumerable.Range(0, random.Next(1, 12)).Select(_ => $"{(char)('a' + random.Next(4))}")];
    }

    [Fact]
    public void A_very_long_difference_takes_no_table()
    {
        string before = string.Join('\n', Enumerable.Range(0, 20_000)), after = string.Join('\n', Enumerable.Range(30_000, 20_000));
        LineDifference.Of(before, after).Count.ShouldBe(40_000);
    }

    [Fact]
    public void Only_what_is_near_a_change_is_shown()
    {
        string before = string.Join('\n', Enumerable.Range(0, 100)), after = before.Replace("\n50\n", "\nx\n", StringComparison.Ordinal);
        var shown = LineDifference.Around(LineDifference.Of(before, after), 2)
            .Select(l => l is { } line ? $"{line.Kind}{line.Text}" : "…");
        string.Join(',', shown).ShouldBe("…, 48, 49,-50,+x, 51, 52,…");
    }
}
