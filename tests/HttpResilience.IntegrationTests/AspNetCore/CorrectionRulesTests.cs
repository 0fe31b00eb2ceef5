using System.Text;
using HttpResilience.AspNetCore;
using HttpResilience.IntegrationTests.Storage;
using HttpResilience.Operators;

namespace HttpResilience.IntegrationTests.AspNetCore;

/// <summary>What a correction makes of a letter.</summary>
public sealed class CorrectionRulesTests
{
    private static readonly DeadLetter Letter = Letters.Plain() with
    {
        Headers = [new("Content-Type", "application/json")],
        Body = Encoding.UTF8.GetBytes("""{"a":1}"""),
        OriginalUri = "https://api.example.com/x/../invoices",
    };

    [Fact]
    public void What_is_absent_stays_as_it_was() => Apply(new()).ShouldBe(Letter);

    [Fact]
    public void The_address_that_was_shown_keeps_the_characters_that_were_sent()
    {
        var same = Apply(new(Uri: Letter.OriginalUri));

        (same.Uri, same.OriginalUri).ShouldBe((Letter.Uri, Letter.OriginalUri));
    }

    [Theory]
    [InlineData("application/json; charset=utf-16", "utf-16")]
    [InlineData("application/problem+json; charset=\"ISO-8859-1\"", "iso-8859-1")]
    [InlineData("text/plain", "utf-8")]
    [InlineData("text/plain; charset=us-ascii", "us-ascii")]
    [InlineData("text/plain; charset=\"\"", "utf-8")]
    [InlineData(null, "utf-8")]
    [InlineData("no media type", "utf-8")]
    public void A_text_is_written_in_the_character_set_of_its_content_type(string? contentType, string charset)
    {
        HeaderModel[] headers = contentType is null ? [] : [Field("content-type", contentType)];

        Apply(new(Headers: headers, Text: "[1]")).Body!.Value.ToArray().ShouldBe(Encoding.GetEncoding(charset).GetBytes("[1]"));
    }

    [Theory]
    [InlineData("utf-7")]
    [InlineData("x-user-defined")]
    [InlineData("none")]
    [InlineData("\" \"")]
    public void A_text_in_a_character_set_that_is_not_known_is_a_problem_and_its_bytes_are_none(string charset)
    {
        HeaderModel[] headers = [Field("Content-Type", $"application/json; charset={charset}")];

        ErrorsOf(new(Headers: headers, Text: "[1]")).ShouldBe(["text"]);
        ErrorsOf(new(Headers: headers, Body: "AP8=")).ShouldBeEmpty();
    }

    [Fact]
    public void Bytes_are_taken_as_they_are_and_a_body_can_be_left_out()
    {
        Apply(new(Headers: [], Body: "AP8=")).Body!.Value.ToArray().ShouldBe([0, 255]);
        Apply(new(Headers: [], Body: "")).Body!.Value.Length.ShouldBe(0);
        Apply(new(NoBody: true)).Body.ShouldBeNull();
    }

    [Theory]
    [InlineData("application/xml", "<a><b/></a>", true)]
    [InlineData("application/soap+xml", "<a><b></a>", false)]
    [InlineData("application/json", "{\"a\":1,\"a\":2}", true)]
    [InlineData("application/json", "{'a':1}", false)]
    [InlineData("application/json", "", false)]
    [InlineData("text/csv", "{'a':1}", true)]
    [InlineData("application/x-www-form-urlencoded", "a=1&b=%C3%A9+x&&c", true)]
    [InlineData("application/x-www-form-urlencoded", "a=1 2", false)]
    [InlineData("application/x-www-form-urlencoded", "a=\u00e9", false)]
    [InlineData("application/x-www-form-urlencoded", "a=100%", false)]
    public void A_text_is_what_its_content_type_says(string contentType, string text, bool isValid)
    {
        var request = new ResubmitRequest(Headers: [Field("Content-Type", contentType)], Text: text);

        ErrorsOf(request).ShouldBe(isValid ? [] : ["text"]);
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        ErrorsOf(request with { Text = null, Body = Convert.ToBase64String(bytes) }).ShouldBe(isValid ? [] : ["body"]);
        ErrorsOf(request with
        {
            Text = null,
            Body = Convert.ToBase64String(bytes),
            Headers = [.. request.Headers!, Field("Content-Encoding", "gzip")],
        }).ShouldBeEmpty();
    }

    [Fact]
    public void Bytes_that_are_no_text_are_no_JSON() => ErrorsOf(new(Body: "AP8=")).ShouldBe(["body"]);

    [Theory]
    [InlineData("Authorization")]
    [InlineData("cookie")]
    [InlineData("X-Api-Key")]
    [InlineData("X-Left-Out")]
    public void A_header_field_that_carries_a_secret_is_refused_unless_the_letter_has_it(string name)
    {
        var letter = Letter with { LeftOut = ["x-left-out"] };
        var request = new ResubmitRequest(Headers: [.. Letter.Headers.Select(h => Field(h.Key, h.Value)), Field(name, "v")]);
        List<FilterProblem> problems = [];

        CorrectionRules.Apply(letter, request, null, IsSecret, problems);
        CorrectionRules.Apply(
            letter with { Headers = [new(name.ToUpperInvariant(), "w")] }, request, null, IsSecret, problems);

        problems.ShouldHaveSingleItem().ShouldBe(
            new("headers", $"{name} carries a secret, which no letter keeps: the client adds its own when the letter is sent."));
    }

    [Theory]
    [InlineData("Host")]
    [InlineData("host")]
    [InlineData("Proxy-Connection")]
    [InlineData("HTTP2-Settings")]
    [InlineData("Transfer-Encoding")]
    [InlineData(":authority")]
    public void A_header_field_that_leads_a_request_elsewhere_is_refused(string name) =>
        ErrorsOf(new(Headers: [Field(name, "evil.test")])).ShouldBe(["headers"]);

    [Fact]
    public void A_header_field_that_is_null_or_has_no_name_is_a_problem()
    {
        ErrorsOf(new(Headers: [null!])).ShouldBe(["headers"]);
        ErrorsOf(new(Headers: [Field("X", null!)])).ShouldBe(["headers"]);
        ErrorsOf(new(Headers: [Field(null!, "x")])).ShouldBe(["headers"]);
    }

    [Fact]
    public void The_host_that_the_application_sent_stays_and_no_other()
    {
        var letter = Letter with { Headers = [new("Host", "tenant.example.com")] };
        List<FilterProblem> problems = [];

        CorrectionRules.Apply(letter, new(Headers: [Field("Host", "tenant.example.com")]), null, IsSecret, problems);
        problems.ShouldBeEmpty();
        CorrectionRules.Apply(letter, new(Headers: [Field("Host", "evil.test")]), null, IsSecret, problems);

        problems.ShouldHaveSingleItem().Name.ShouldBe("headers");
    }

    [Fact]
    public void A_body_has_one_content_type() =>
        ErrorsOf(new(Headers: [Field("Content-Type", "application/json"), Field("content-type", "text/plain")])).ShouldBe(["headers"]);

    [Theory]
    [InlineData("CONNECT")]
    [InlineData("connect")]
    public void A_tunnel_is_no_request(string method) => ErrorsOf(new(Method: method)).ShouldBe(["method"]);

    [Fact]
    public void All_fields_that_are_not_valid_are_named_at_once() => ErrorsOf(new(
        Method: "a b", Uri: "x", Headers: [Field("Content-Type", "text/plain"), Field("Host:", ""), Field("TE", "")], Text: "\ud800"))
        .ShouldBe(["method", "uri", "headers", "text"], ignoreOrder: true);

    [Fact]
    public void Whatever_is_typed_as_an_address_is_an_allowed_one_or_a_problem()
    {
        var random = new Random(20);
        string[] parts =
        [
            "https://", "http://", "https+http://", "//", "api.example.com", "evil.test", "@", ":", "443", "0", "99999", "/", "\\", "?",
            "#", "..", "%2f", "%00", "\0", "\r\n", " ", "\t", "xn--", "ß", "\u3002", "\ud83d", "[::1]", "javascript:", "file:",
            new('a', 64),
        ];
        int accepted = 0;

        for (int i = 0; i < 20_000; i++)
        {
            string address = (i % 2 == 0 ? "https://api.example.com" : "") + string.Concat(
                Enumerable.Range(0, random.Next(1, 6)).Select(_ => parts[random.Next(parts.Length)]));
            try
            {
                Apply(new(Uri: address)).Uri.Host.ShouldBe("api.example.com", address);
                accepted++;
            }
            catch (ApiProblemException e)
            {
                e.Problem.Errors!.Keys.ShouldBe(["uri"]);
            }
        }

        accepted.ShouldBeGreaterThan(100);
    }

    private static DeadLetter Apply(ResubmitRequest request)
    {
        var problems = new List<FilterProblem>();
        var corrected = CorrectionRules.Apply(Letter, request, [Letter.Authority], IsSecret, problems);
        return problems.Count == 0 ? corrected : throw ApiProblemException.NotValid(problems);
    }

    private static bool IsSecret(string header) => header.ToUpperInvariant() is "AUTHORIZATION" or "COOKIE" or "X-API-KEY";

    private static HeaderModel Field(string name, string value) => new() { Name = name, Value = value };

    private static IEnumerable<string> ErrorsOf(ResubmitRequest request)
    {
        try
        {
            Apply(request);
            return [];
        }
        catch (ApiProblemException e)
        {
            return e.Problem.Errors!.Keys;
        }
    }
}
