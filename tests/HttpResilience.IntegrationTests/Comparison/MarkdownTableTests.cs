using HttpResilience.Benchmarks;

namespace HttpResilience.IntegrationTests.Comparison;

public sealed class MarkdownTableTests
{
    private static readonly string Table = MarkdownTable.Of([new("name"), new("calls", IsNumber: true)], [["one", "1"], ["no value", ""]]);

    [Fact]
    public void Numbers_are_aligned_at_the_right() => Table.ShouldBe("""
        | name | calls |
        |---|--:|
        | one | 1 |
        | no value |  |

        """);

    [Fact]
    public void Rows_are_read_as_they_were_written_and_other_lines_are_ignored() =>
        MarkdownTable.RowsOf($"text\n\n{Table}\ntext").ShouldBe([["name", "calls"], ["one", "1"], ["no value", ""]]);
}
