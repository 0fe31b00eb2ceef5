namespace HttpResilience.Tests.Http;

/// <summary>The patterns of routes: their form, and which requests they match.</summary>
public sealed class RoutePatternTests
{
    [Theory]
    [InlineData("/")]
    [InlineData("/exports")]
    [InlineData("/exports/")]
    [InlineData("/exports/*")]
    [InlineData("/*/files")]
    [InlineData("/**")]
    [InlineData("/exports/**")]
    [InlineData("POST /exports/*")]
    [InlineData("post /exports/*")]
    [InlineData("* /exports/*")]
    [InlineData("M-SEARCH /devices")]
    [InlineData("/v1.0/users('me')/messages;page=2")]
    [InlineData("/gr%C3%B6%C3%9Fe/größe")]
    [InlineData("/models/gemini%3Agenerate")]
    [InlineData("/...")]
    [InlineData("/.well-known/openid-configuration")]
    public void A_method_or_none_and_a_path_are_a_pattern(string text) => RoutePattern.TryParse(text, out _).ShouldBeTrue();

    [Theory]
    [InlineData("", null)]
    [InlineData("POST", "POST /**")]
    [InlineData("exports/*", "/exports/*")]
    [InlineData("POST exports/*", "POST /exports/*")]
    [InlineData("POST  /exports/*", "POST /exports/*")]
    [InlineData(" /exports/* ", "/exports/*")]
    [InlineData("POST:/exports/*", "POST /exports/*")]
    [InlineData("GET,POST /exports", null)]
    [InlineData("GET|POST /exports", null)]
    [InlineData("GET POST /exports", null)]
    [InlineData("/exports//17", "/exports/17")]
    [InlineData("//", "/")]
    [InlineData("/exports/{id}", "/exports/*")]
    [InlineData("/exports/{id:int}/files", "/exports/*/files")]
    [InlineData("/exports/{*rest}", "/exports/**")]
    [InlineData("/exports/{**rest}", "/exports/**")]
    [InlineData("/exports/file-*", "/exports/*")]
    [InlineData("/exports/***", "/exports/*")]
    [InlineData("/exports/**/files", "/exports/*/files")]
    [InlineData("/**/", "/**")]
    [InlineData("/exports?all=true", "/exports")]
    [InlineData("GET /exports#top", "GET /exports")]
    [InlineData("/a/../b", null)]
    [InlineData("/./b", null)]
    [InlineData("\\exports\\*", "/exports/*")]
    [InlineData("/exports/%2", null)]
    [InlineData("/two words", null)]
    [InlineData("/exports\n", "/exports")]
    [InlineData("https://api.example.com/exports/*", "/exports/*")]
    [InlineData("GET https://api.example.com/exports", "GET /exports")]
    [InlineData("https://api.example.com", "/")]
    [InlineData("*", "/*")]
    [InlineData("POST *", "POST /**")]
    public void Other_texts_are_not_and_the_likely_pattern_is_suggested(string text, string? remedy)
    {
        RoutePattern.TryParse(text, out _).ShouldBeFalse();
        RoutePattern.Remedy(text).ShouldBe(remedy);
    }

    [Theory]
    // * is one segment.
    [InlineData("/exports/*", "/exports/17", true)]
    [InlineData("/exports/*", "/exports", false)]
    [InlineData("/exports/*", "/exports/", false)]
    [InlineData("/exports/*", "/exports//", false)]
    [InlineData("/exports/*", "/exports/17/file", false)]
    [InlineData("/*/file", "/17/file", true)]
    [InlineData("/*/file", "//file", false)]
    // ** is what follows, also nothing.
    [InlineData("/exports/**", "/exports", true)]
    [InlineData("/exports/**", "/exports/", true)]
    [InlineData("/exports/**", "/exports/17", true)]
    [InlineData("/exports/**", "/exports/17/file", true)]
    [InlineData("/exports/**", "/exports//file", true)]
    [InlineData("/exports/**", "/exported", false)]
    [InlineData("/**", "/", true)]
    [InlineData("/**", "/a//b/", true)]
    // A slash at the end does not count, one between does.
    [InlineData("/exports", "/exports/", true)]
    [InlineData("/exports/", "/exports", true)]
    [InlineData("/exports/", "/exports//", false)]
    [InlineData("/exports/17", "/exports//17", false)]
    [InlineData("/", "/", true)]
    [InlineData("/", "", true)]
    [InlineData("/", "//", false)]
    [InlineData("/", "/a", false)]
    // Upper and lower case are the same, as with ASP.NET Core and YARP.
    [InlineData("/Exports/*", "/eXPORTS/17", true)]
    // Escaped and not escaped are the same; an escaped slash belongs to its segment.
    [InlineData("/größe", "/gr%C3%B6%c3%9fe", true)]
    [InlineData("/gr%C3%B6%C3%9Fe", "/gr%C3%B6%C3%9Fe", true)]
    [InlineData("/users('me')", "/users%28'me'%29", true)]
    [InlineData("/models/gemini%3Agenerate", "/models/gemini:generate", true)]
    [InlineData("/files/*", "/files/a%2Fb", true)]
    [InlineData("/files/a%2Fb", "/files/a%2fb", true)]
    [InlineData("/files/a/b", "/files/a%2Fb", false)]
    [InlineData("/100%25", "/100%25", true)]
    [InlineData("/a", "/%zz", false)]
    [InlineData("/%FF", "/%FF", true)]
    // Matrix parameters are part of their segment.
    [InlineData("/exports", "/exports;v=1", false)]
    [InlineData("/*", "/exports;v=1", true)]
    // A dangerous URI may have them.
    [InlineData("/exports/*", "/exports/..", true)]
    [InlineData("/b", "/a/../b", false)]
    public void A_path_matches_or_not(string pattern, string path, bool matches) =>
        Parse(pattern).Matches("GET", path).ShouldBe(matches);

    [Theory]
    [InlineData("/exports", "GET", true)]
    [InlineData("* /exports", "DELETE", true)]
    [InlineData("POST /exports", "POST", true)]
    [InlineData("POST /exports", "PUT", false)]
    [InlineData("post /exports", "POST", true)]
    [InlineData("POST /exports", "post", true)]
    [InlineData("MY-METHOD /exports", "MY-METHOD", true)]
    public void A_method_is_compared_as_the_platform_does(string pattern, string method, bool matches) =>
        Parse(pattern).Matches(method, "/exports").ShouldBe(matches);

    [Theory]
    [InlineData("/exports/*", "* /EXPORTS/*/", true)]
    [InlineData("post /exports", "POST /exports", true)]
    [InlineData("/größe", "/GR%C3%B6%C3%9Fe", true)]
    [InlineData("/exports/*", "/exports/**", false)]
    [InlineData("/exports/*", "GET /exports/*", false)]
    [InlineData("/a/b", "/a%2Fb", false)]
    [InlineData("/", "/**", false)]
    public void Spellings_of_one_pattern_are_the_same_route(string one, string other, bool areSame) =>
        (Parse(one).Identity == Parse(other).Identity).ShouldBe(areSame);

    [Fact]
    public void The_schema_knows_the_same_form_without_colons()
    {
        string[] texts =
        [
            "/", "/a", "/a/", "POST /a/*", "* /**", "/a/**", "", "POST", "a", "/a//b", "/a*", "/**/a", "/..", "/a?b", "/%2", "/%3A",
        ];

        foreach (string text in texts)
            System.Text.RegularExpressions.Regex.IsMatch(text, RoutePattern.FormOfKey).ShouldBe(RoutePattern.TryParse(text, out _), text);
        RoutePattern.TryParse("/a:b", out _).ShouldBeTrue();
        System.Text.RegularExpressions.Regex.IsMatch("/a:b", RoutePattern.FormOfKey).ShouldBeFalse();
    }

    internal static RoutePattern Parse(string text) =>
        RoutePattern.TryParse(text, out var pattern) ? pattern : throw new ArgumentException($"{text} is not a pattern.");
}
