namespace HttpResilience.PageTests.Models;

public sealed class ForeignTextTests
{
    [Theory]
    [InlineData(null, "")]
    [InlineData("plain, ü, 日本, 😀", "plain, ü, 日本, 😀")]
    [InlineData("a\u202Eb", "a⟨U+202E⟩b")]
    [InlineData("a\r\nb\tc\0", "a⟨U+000D⟩⟨U+000A⟩b⟨U+0009⟩c⟨U+0000⟩")]
    [InlineData("\u200B\u2066\u2069\uFEFF\u00AD", "⟨U+200B⟩⟨U+2066⟩⟨U+2069⟩⟨U+FEFF⟩⟨U+00AD⟩")]
    [InlineData("\u2028\u2029\u0085\u007F", "⟨U+2028⟩⟨U+2029⟩⟨U+0085⟩⟨U+007F⟩")]
    public void What_would_be_hidden_is_shown(string? text, string shown) => ForeignText.Visible(text).ShouldBe(shown);

    [Fact]
    public void Half_a_character_is_replaced() => ForeignText.Visible("\uDC00x").ShouldBe("\uFFFDx");

    [Fact]
    public void A_long_text_is_shortened_by_whole_characters()
    {
        ForeignText.Visible(new string('x', 200)).ShouldBe(new string('x', 200));
        ForeignText.Visible(new string('x', 201)).ShouldBe(new string('x', 200) + "…");
        ForeignText.Visible("😀😀😀", 2).ShouldBe("😀😀…");
    }

    [Fact]
    public void Lines_stay_where_they_are_wanted() =>
        ForeignText.Visible("a\r\n\tb\u202E", keepsLines: true).ShouldBe("a\r\n\tb⟨U+202E⟩");
}
