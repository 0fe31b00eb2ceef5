using System.Text;
using System.Text.Json.Nodes;
using HttpResilience.IntegrationTests.Storage;

namespace HttpResilience.PageTests.Models;

public sealed class LetterBodyTextTests
{
    [Theory]
    [InlineData(
        """{"a":1.00,"b":[],"c":{},"d":[1,{"e":"x"}]}""",
        "{\n  \"a\": 1.00,\n  \"b\": [],\n  \"c\": {},\n  \"d\": [\n    1,\n    {\n      \"e\": \"x\"\n    }\n  ]\n}")]
    [InlineData("""[1E+2,-0,"\u00e9\/"]""", "[\n  1E+2,\n  -0,\n  \"\\u00e9\\/\"\n]")]
    [InlineData("""{"a":1,"a":2}""", "{\n  \"a\": 1,\n  \"a\": 2\n}")]
    [InlineData("""{"a" : "b:c\"" }""", "{\n  \"a\": \"b:c\\\"\"\n}")]
    [InlineData("\"text\"", "\"text\"")]
    [InlineData("{}", "{}")]
    [InlineData("{\n \"a\":1}", "{\n \"a\":1}")]
    [InlineData("""{"a":""", """{"a":""")]
    [InlineData("""{"a":1} x""", """{"a":1} x""")]
    [InlineData("no json", "no json")]
    [InlineData("", "")]
    public void Json_is_indented_when_nothing_else_changes(string sent, string shown) => Of(sent, "application/json").Text.ShouldBe(shown);

    [Fact]
    public void Indented_json_says_the_same_for_any_json()
    {
        var random = new Random(815);
        for (int i = 0; i < 300; i++)
        {
            string json = Value(random, 4)!.ToJsonString();
            string shown = Of(json, "application/json").Text!;
            JsonNode.DeepEquals(JsonNode.Parse(shown), JsonNode.Parse(json)).ShouldBeTrue(json);
        }
    }

    [Theory]
    [InlineData("utf-8", "ü€")]
    [InlineData("utf-16", "ü€")]
    [InlineData("iso-8859-1", "ü")]
    [InlineData("us-ascii", "u")]
    [InlineData("\"utf-8\"", "ü€")]
    public void Text_is_shown_in_its_character_set(string charset, string text)
    {
        var encoding = Encoding.GetEncoding(charset.Trim('"'));
        Of(encoding.GetBytes(text), $"text/plain; charset={charset}").Text.ShouldBe(text);
    }

    [Fact]
    public void Bytes_that_are_no_text_are_shown_in_hexadecimal_digits_and_replaced_by_a_file()
    {
        foreach (byte[] bytes in (byte[][])[[0xFF, 0xFE], [0x41, 0x00], [0xEF, 0xBB, 0xBF, 0x41], [0x1B]])
        {
            var body = Of(bytes, "application/octet-stream");
            body.Text.ShouldBeNull();
            body.Hex.ShouldBe(Convert.ToHexString(bytes));
            body.Obstacle.ShouldNotBeNull();
        }

        Of(new byte[256 * 1024 + 1], "text/plain").Obstacle!.ShouldContain("256 KiB");
        Of(Encoding.UTF8.GetBytes("x"), "text/plain; charset=nowhere").Text.ShouldBeNull();
    }

    [Fact]
    public void A_body_that_is_not_there_says_why()
    {
        LetterBodyText.Of(Letters.Plain()).ShouldBe(new(null, "", 0, null));
        LetterBodyText.Of(Letters.Plain() with { BodyIsMissing = true }).Obstacle!.ShouldContain("only once");
        LetterBodyText.Of(Letters.Plain() with { KeyIsMissing = true }).Obstacle!.ShouldContain("key");
    }

    [Fact]
    public void What_comes_back_has_the_line_ends_that_were_shown()
    {
        Of("a\nb", "text/plain").Typed("a\r\nb").ShouldBe("a\nb");
        Of("a\r\nb", "text/plain").Typed("a\r\nb\r\nc").ShouldBe("a\r\nb\r\nc");
        Of("a", "text/plain").Typed("a\r\nb").ShouldBe("a\nb");
    }

    [Theory]
    [InlineData("The field “vatId” is not a valid VAT number", "vatId", 3)]
    [InlineData("The field 'number' is missing", "number", 2)]
    [InlineData("vatId is empty", "vatId", 3)]
    [InlineData("vatIds are empty", null, 0)]
    [InlineData("text is too long", null, 0)]
    [InlineData("", null, 0)]
    [InlineData(null, null, 0)]
    public void The_line_of_the_field_is_found_that_a_problem_names(string? problem, string? field, int line)
    {
        var body = Of("""{"number":"1","vatId":"x","lines":[{"text":"a"},{"text":"b"}]}""", "application/json");
        body.LineOfFieldIn(problem).ShouldBe(field is null ? null : (field, line));
    }

    private static LetterBodyText Of(string text, string contentType) => Of(Encoding.UTF8.GetBytes(text), contentType);

    private static LetterBodyText Of(byte[] bytes, string contentType) =>
        LetterBodyText.Of(Letters.Plain() with { Body = bytes, Headers = [new("Content-Type", contentType)] });

    private static JsonNode? Value(Random random, int depth) => random.Next(depth == 0 ? 3 : 5) switch
    {
        0 => JsonValue.Create(random.Next(-1000, 1000) / 8.0),
        1 => JsonValue.Create(new string((char)random.Next(32, 0x2FF), random.Next(4)) + "\"\\:{},[]\n"),
        2 => JsonValue.Create(random.Next(2) == 0),
        3 => new JsonArray([.. Enumerable.Range(0, random.Next(4)).Select(_ => Value(random, depth - 1))]),
        _ => new JsonObject(Enumerable.Range(0, random.Next(4)).Select(i => KeyValuePair.Create($"f{i}:\"", Value(random, depth - 1)))),
    };
}
