namespace HttpResilience.Tests.Http;

public sealed class IdempotencyKeyValidationTests
{
    [Theory]
    [InlineData("a")]
    [InlineData("comp1:invoice:001")]
    [InlineData("8e03978e-40d5-43e8-bc93-6894a57f9324")]
    [InlineData("with a space")]
    [InlineData("\"quoted\\\"")]
    [InlineData("!#$%&'()*+,-./:;<=>?@[]^_`{|}~")]
    public void Visible_ASCII_is_a_key(string key) => Should.NotThrow(() => IdempotencyKey.Validate(key));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("   ")]
    [InlineData("a\r\nX-Injected: 1")]
    [InlineData("a\rb")]
    [InlineData("a\nb")]
    [InlineData("a\tb")]
    [InlineData("a\0b")]
    [InlineData("a\u007f")]
    [InlineData("a\u0080")]
    [InlineData("\u00fcber")]
    [InlineData("a\u2028b")]
    [InlineData("\ud83d\ude00")]
    public void A_text_that_a_header_cannot_carry_is_no_key(string? key) =>
        Should.Throw<ArgumentException>(() => IdempotencyKey.Validate(key!)).ParamName.ShouldBe("key");

    [Fact]
    public void Each_single_character_is_judged_alike()
    {
        for (int c = 0; c <= char.MaxValue; c += c < 0x300 ? 1 : 251)
        {
            string key = $"a{(char)c}b";
            bool isValid = c is >= 0x20 and < 0x7f;
            (Record.Exception(() => IdempotencyKey.Validate(key)) is null).ShouldBe(isValid, $"U+{c:X4}");
        }
    }

    // They do not count in a field value (RFC 9110 §5.5).
    [Theory, InlineData(" a"), InlineData("a ")]
    public void A_key_does_not_begin_or_end_with_a_blank(string key)
    {
        Should.Throw<ArgumentException>(() => IdempotencyKey.Validate(key)).ParamName.ShouldBe("key");
    }

    [Theory]
    [InlineData(255, true)]
    [InlineData(256, false)]
    [InlineData(1 << 20, false)]
    public void A_key_has_up_to_255_characters(int length, bool isValid)
    {
        var exception = Record.Exception(() => IdempotencyKey.Validate(new string('k', length)));

        (exception is null).ShouldBe(isValid);
        if (!isValid)
            exception.ShouldBeOfType<ArgumentException>().Message.Length.ShouldBeLessThan(200);
    }

    [Fact]
    public void The_error_does_not_repeat_the_key() =>
        Should.Throw<ArgumentException>(() => IdempotencyKey.Validate("forged\r\nline")).Message.ShouldNotContain("forged");

    [Fact]
    public void A_key_that_is_made_is_a_valid_UUID_and_never_the_same()
    {
        string[] keys = [.. Enumerable.Range(0, 1000).Select(_ => IdempotencyKey.Create())];

        keys.ShouldBeUnique();
        foreach (string key in keys)
        {
            Guid.TryParseExact(key, "D", out var uuid).ShouldBeTrue();
            uuid.Version.ShouldBe(4);
            IdempotencyKey.Validate(key);
        }
    }

    [Theory]
    [InlineData("abc", "\"abc\"")]
    [InlineData("a b", "\"a b\"")]
    [InlineData("a\"b", "\"a\\\"b\"")]
    [InlineData("a\\b", "\"a\\\\b\"")]
    [InlineData("\\\"", "\"\\\\\\\"\"")]
    public void Quoted_it_is_a_structured_field_string(string key, string quoted) => IdempotencyKey.Quote(key).ShouldBe(quoted);
}
