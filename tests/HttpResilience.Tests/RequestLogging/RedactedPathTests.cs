
namespace HttpResilience.Tests.RequestLogging;

/// <summary>The path as the log shows it, and text that must stay on its line.</summary>
public sealed class RedactedPathTests
{
    private static readonly Redaction Redaction = new([], ["page", "Sort"]);

    [Theory]
    [InlineData("https://a.example", "/")]
    [InlineData("https://a.example/v1/invoices/5", "/v1/invoices/5")]
    [InlineData("https://a.example/v1#fragment", "/v1")]
    [InlineData("https://a.example/v1?", "/v1")]
    [InlineData("https://jane:hunter22@a.example/v1", "/v1")]
    [InlineData("https://a.example/v1?key=abc", "/v1?key=***")]
    [InlineData("https://a.example/v1?key=", "/v1?key=***")]
    [InlineData("https://a.example/v1?abc", "/v1?***")]
    [InlineData("https://a.example/v1?=abc", "/v1?=***")]
    [InlineData("https://a.example/v1?a=1&b=2&c", "/v1?a=***&b=***&***")]
    [InlineData("https://a.example/v1?a=1=2", "/v1?a=***")]
    [InlineData("https://a.example/v1?a=1;b=2", "/v1?a=***")]
    [InlineData("https://a.example/v1?page=1;key=abc", "/v1?page=***")]
    [InlineData("https://a.example/v1?page=1;sort=up", "/v1?page=1;sort=up")]
    [InlineData("https://a.example/v1?page=3&key=abc", "/v1?page=3&key=***")]
    [InlineData("https://a.example/v1?PAGE=3&sort=up", "/v1?PAGE=3&sort=up")]
    [InlineData("https://a.example/v1?page", "/v1?page")]
    [InlineData("https://a.example/v1?pages=3&apage=4", "/v1?pages=***&apage=***")]
    [InlineData("https://a.example/v1?page=a%0D%0Ab", "/v1?page=a%0D%0Ab")]
    [InlineData("https://a.example/a%0D%0Ab\u2028c", "/a%0D%0Ab%E2%80%A8c")]
    [InlineData("https://a.example/v1?a=https://b.example/?key=abc", "/v1?a=***")]
    public void Query_values_user_info_and_fragment_are_left_out(string uri, string path) => PathOf(uri).ShouldBe(path);

    [Fact]
    public void A_template_takes_the_place_of_the_path() =>
        PathOf("https://a.example/v1/invoices/5?key=abc", r => r.WithTag("url.template", "/v1/invoices/{id}"))
            .ShouldBe("/v1/invoices/{id}");

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    public void An_empty_template_does_not(string? template) =>
        PathOf("https://a.example/v1?key=abc", r => r.WithTag("url.template", template)).ShouldBe("/v1?key=***");

    [Fact]
    public void A_template_cannot_break_the_line() =>
        PathOf("https://a.example/v1", r => r.WithTag("url.template", "/a\r\nb\u2028c")).ShouldBe("/a  b c");

    [Fact]
    public void A_request_without_an_absolute_URI_has_no_path() => PathOf(null).ShouldBe("");

    [Fact]
    public void Control_characters_and_line_separators_become_spaces_and_unseen_characters_vanish_and_all_others_stay()
    {
        for (int c = 0; c <= char.MaxValue; c++)
        {
            bool breaks = c is < 0x20 or (>= 0x7f and <= 0x9f) or 0x2028 or 0x2029;
            bool isUnseen = c is 0xad or 0x61c or 0x180e or (>= 0x200b and <= 0x200f) or (>= 0x202a and <= 0x202e)
                or (>= 0x2060 and <= 0x206f) or 0xfeff or (>= 0xfff9 and <= 0xfffb);
            Redaction.Clean($"a{(char)c}b").ShouldBe(breaks ? "a b" : isUnseen ? "ab" : $"a{(char)c}b", $"U+{c:X4}");
        }
    }

    [Theory]
    [InlineData("paid\u202e001\u202c EUR", "paid001 EUR")]
    [InlineData("admin\u200b\u2066x\u2069", "adminx")]
    [InlineData("hidden\U000e0041\U000e0042 text", "hidden text")]
    [InlineData("\ud83d\ude00\ufe0f stays", "\ud83d\ude00\ufe0f stays")]
    [InlineData("\udb40", "\udb40")]
    [InlineData("\udb40\udd00", "\udb40\udd00")]
    [InlineData("\u2028a\u0085b", " a b")]
    public void Characters_that_hide_or_turn_text_around_are_left_out(string text, string clean) => Redaction.Clean(text).ShouldBe(clean);

    [Fact]
    public void Clean_text_is_not_copied()
    {
        string text = "caf\u00e9 \ud83d\ude00, all on one line";

        Redaction.Clean(text).ShouldBeSameAs(text);
        Redaction.Clean("").ShouldBe("");
    }

    [Fact]
    public void A_server_cannot_forge_a_line()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "https://a.example");

        Redaction.Scrub("no\r\n2026-03-01 INFO all is well\u0085\u001b[31m\0", request).ShouldBe("no  2026-03-01 INFO all is well  [31m ");
    }

    [Fact]
    public void The_options_start_with_the_documented_defaults()
    {
        var options = new RequestLoggingOptions();

        options.Level.ShouldBe(Microsoft.Extensions.Logging.LogLevel.Information);
        options.RetryLevel.ShouldBe(Microsoft.Extensions.Logging.LogLevel.Debug);
        options.KeepFactoryLogging.ShouldBeFalse();
        options.ErrorBodyBytes.ShouldBe(2048);
        options.RedactedHeaders.ShouldBeEmpty();
        options.AllowedQueryParameters.ShouldBeEmpty();
    }

    private static string PathOf(string? uri, Action<HttpRequestMessage>? configure = null)
    {
        using var request = new HttpRequestMessage { RequestUri = uri is null ? null : new Uri(uri) };
        configure?.Invoke(request);
        using var chain = new Chain();
        return Redaction.PathOf(request, HttpCall.Open(request, chain.State));
    }
}
