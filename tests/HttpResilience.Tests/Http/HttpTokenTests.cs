namespace HttpResilience.Tests.Http;

/// <summary>RFC 9110 §5.6.2.</summary>
public sealed class HttpTokenTests
{
    private const string TokenCharacters = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    [Fact]
    public void Each_character_of_the_first_65536_is_judged_by_the_grammar()
    {
        for (int c = 0; c <= char.MaxValue; c++)
            HttpToken.IsValid($"a{(char)c}").ShouldBe(TokenCharacters.Contains((char)c), $"U+{c:X4}");
    }

    [Theory]
    [InlineData("Idempotency-Key", true)]
    [InlineData("POST", true)]
    [InlineData("", false)]
    [InlineData(null, false)]
    [InlineData("two words", false)]
    [InlineData("Header:", false)]
    [InlineData("line\r\nbreak", false)]
    [InlineData("(comment)", false)]
    [InlineData("\u00e4", false)]
    public void A_token_has_at_least_one_character_and_no_separator(string? text, bool isToken) =>
        HttpToken.IsValid(text).ShouldBe(isToken);
}
