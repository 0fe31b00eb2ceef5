using HttpResilience.Benchmarks;

namespace HttpResilience.IntegrationTests.Comparison;

public sealed class MarkedPageTests
{
    private static readonly MarkedPage Page = new("""
        # Title

        <!-- points -->
        old points
        <!-- /points -->

        between

        <!-- cost -->
        old cost
        <!-- /cost -->
        end

        """);

    [Fact]
    public void A_part_has_the_lines_between_its_marks() => Page.Part("cost").ShouldBe("old cost\n");

    [Theory, InlineData("new\n\n| a |\n"), InlineData("new\n\n| a |"), InlineData("new\n\n| a |\n\n")]
    public void A_written_part_replaces_its_lines_and_no_other(string lines)
    {
        var written = Page.With("points", lines);

        written.Text.ShouldBe(Page.Text.Replace("old points", "new\n\n| a |", StringComparison.Ordinal));
        written.Part("cost").ShouldBe(Page.Part("cost"));
    }

    [Fact]
    public void A_part_that_is_written_twice_has_the_second_lines() =>
        Page.With("cost", "first").With("cost", "second").ShouldBe(Page.With("cost", "second"));

    [Fact]
    public void Marks_without_lines_between_them_take_lines() =>
        new MarkedPage("<!-- cost -->\n<!-- /cost -->\n").With("cost", "new").Text.ShouldBe("<!-- cost -->\nnew\n<!-- /cost -->\n");

    [Theory, InlineData("text"), InlineData("<!-- shapes -->\ntext"), InlineData("<!-- /shapes -->\n<!-- shapes -->\n")]
    public void A_page_without_both_marks_in_their_order_is_rejected_with_the_name_of_the_part(string text) =>
        Should.Throw<FormatException>(() => new MarkedPage(text).With("shapes", "new")).Message.ShouldContain("shapes");
}
