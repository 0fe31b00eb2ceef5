namespace HttpResilience.Tests.RequestLogging;

/// <summary>What a server echoes of a request's secrets is struck out, in whatever form it comes back.</summary>
public sealed class RedactionTests : IDisposable
{
    private static readonly Redaction Redaction = new(["X-Member-Pin"], ["page", "kind"]);

    private readonly HttpRequestMessage _request = new(HttpMethod.Post, "https://a.example/v1");

    public void Dispose() => _request.Dispose();

    [Theory]
    [InlineData("Authorization", "Bearer eyJhbGciOi.abc-def", "eyJhbGciOi.abc-def")]
    [InlineData("Authorization", "Bearer eyJhbGciOi.abc-def", "Bearer eyJhbGciOi.abc-def")]
    [InlineData("Proxy-Authorization", "Digest abcdef123", "abcdef123")]
    [InlineData("Cookie", "session=s3ss10n; theme=dark", "s3ss10n")]
    [InlineData("X-Api-Key", "k-123456", "k-123456")]
    [InlineData("x-api-key", "k-123456", "k-123456")]
    [InlineData("X-Member-Pin", "0wn-s3cret", "0wn-s3cret")]
    [InlineData("x-member-pin", "0wn-s3cret", "0wn-s3cret")]
    [InlineData("X-Refresh-Token", "t-123456", "t-123456")]
    public void The_value_of_a_secret_header_is_struck_out(string header, string value, string secret)
    {
        _request.Headers.TryAddWithoutValidation(header, value);

        Scrub($"Invalid credentials: {secret}, and {secret} again").ShouldBe("Invalid credentials: ***, and *** again");
    }

    [Fact]
    public void Every_value_of_a_secret_header_is_struck_out()
    {
        _request.Headers.TryAddWithoutValidation("X-Api-Key", ["first-key", "second-key"]);

        Scrub("first-key second-key third-key").ShouldBe("*** *** third-key");
    }

    [Fact]
    public void The_value_of_another_header_stays()
    {
        _request.Headers.TryAddWithoutValidation("X-Company", "comp1-limited");
        _request.Headers.TryAddWithoutValidation("Idempotency-Key", "comp1:invoice:001");

        Scrub("comp1-limited comp1:invoice:001").ShouldBe("comp1-limited comp1:invoice:001");
    }

    [Theory]
    [InlineData("https://jane:hunter22@a.example/", "jane:hunter22", "***")]
    [InlineData("https://jane:hunter22@a.example/", "password hunter22 of jane", "password *** of ***")]
    [InlineData("https://j%40ne:hunt%2Fer22@a.example/", "password hunt/er22 of j@ne", "password *** of ***")]
    [InlineData("https://j%40ne:hunt%2Fer22@a.example/", "password hunt%2Fer22 of j%40ne", "password *** of ***")]
    public void User_info_is_struck_out_as_it_stands_and_decoded(string uri, string text, string scrubbed)
    {
        _request.RequestUri = new(uri);

        Scrub(text).ShouldBe(scrubbed);
    }

    [Theory]
    [InlineData("?sig=abc%2Fdef%3D&page=1234", "bad sig abc%2Fdef%3D on page 1234", "bad sig *** on page 1234")]
    [InlineData("?sig=abc%2Fdef%3D", "bad sig abc/def=", "bad sig ***")]
    [InlineData("?sig=abc%2fdef", "bad sig abc%2Fdef", "bad sig ***")]
    [InlineData("?sig=ab%2Fcd+ef", "bad sig ab/cd+ef", "bad sig ***")]
    [InlineData("?name=Jane+Doe", "unknown: Jane Doe", "unknown: ***")]
    [InlineData("?name=Jane+Doe", "unknown: Jane+Doe", "unknown: ***")]
    [InlineData("?name=Jane%20Doe", "unknown: Jane Doe", "unknown: ***")]
    [InlineData("?name=Jane%20Doe", "unknown: Jane+Doe", "unknown: ***")]
    [InlineData("?wordalone", "no wordalone here", "no *** here")]
    [InlineData("?a=one-value&a=two-values", "one-value, two-values", "***, ***")]
    [InlineData("?sig=a=b=c=d", "a=b=c=d", "***")]
    [InlineData("?KIND=invoice&Page=12345", "invoice 12345", "invoice 12345")]
    public void A_query_value_is_struck_out_in_every_spelling_unless_it_is_allowed(string query, string text, string scrubbed)
    {
        _request.RequestUri = new("https://a.example/v1" + query);

        Scrub(text).ShouldBe(scrubbed);
    }

    [Theory]
    [InlineData("ab+cd/ef==", "{\"error\":\"bad key ab\\u002Bcd/ef==\"}")]
    [InlineData("ab+cd/ef==", "{\"error\":\"bad key ab\\u002bcd/ef==\"}")]
    [InlineData("ab+cd/ef==", "{\"error\":\"bad key ab+cd\\/ef==\"}")]
    [InlineData("ab+cd/ef==", "bad key ab%2Bcd%2Fef%3D%3D")]
    [InlineData("ab+cd/ef==", "bad key ab%2bcd%2fef%3d%3d")]
    [InlineData("ab&cd<ef>\"gh", "<p>bad key ab&amp;cd&lt;ef&gt;&quot;gh</p>")]
    [InlineData("ab&cd<ef>\"gh", "{\"error\":\"bad key ab\\u0026cd\\u003Cef\\u003E\\u0022gh\"}")]
    [InlineData("ab\\cd\"ef", "{\"error\":\"bad key ab\\\\cd\\\"ef\"}")]
    [InlineData("DeadBeef42", "bad key deadbeef42")]
    public void A_secret_that_comes_back_escaped_is_struck_out(string secret, string text)
    {
        _request.Headers.TryAddWithoutValidation("X-Api-Key", secret);

        string scrubbed = Scrub(text);

        scrubbed.ShouldContain("bad key ***");
        scrubbed.ShouldNotContain("cd");
        scrubbed.ShouldNotContain("beef", Case.Insensitive);
    }

    [Theory]
    [InlineData("jane:hunter22", "jane:hunter22")]
    [InlineData("jane:hunter22", "hunter22")]
    [InlineData("jane:hunt:er22", "hunt:er22")]
    public void The_user_and_password_of_Basic_credentials_are_redacted(string credentials, string echoed)
    {
        _request.Headers.Authorization = new("Basic", Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(credentials)));

        Scrub($"cannot log in with {echoed}!").ShouldBe("cannot log in with ***!");
    }

    [Theory]
    [InlineData("Basic")]
    [InlineData("Basic ")]
    [InlineData("Basic not*base64")]
    [InlineData("Basic /////w==")]
    public void Malformed_Basic_credentials_do_no_harm(string value)
    {
        _request.Headers.TryAddWithoutValidation("Authorization", value);

        Scrub("fine").ShouldBe("fine");
    }

    [Theory]
    [InlineData("the key is s3cr3t-k3y-12345", "the key is ***")]
    [InlineData("the key is s3cr3t-k3y-1234", "the key is ***")]
    [InlineData("the key is s3cr3t-k", "the key is ***")]
    [InlineData("the key is s3cr", "the key is ***")]
    [InlineData("the key is s3c", "the key is s3c")]
    [InlineData("s3cr3t-k3y", "***")]
    public void A_secret_that_is_cut_off_at_the_end_of_the_text_is_struck_out(string text, string scrubbed)
    {
        _request.Headers.TryAddWithoutValidation("X-Api-Key", "s3cr3t-k3y-12345");

        Scrub(text).ShouldBe(scrubbed);
    }

    [Fact]
    public void The_longest_secret_goes_first_so_that_nothing_of_it_stays()
    {
        _request.Headers.TryAddWithoutValidation("X-Api-Key", ["abcd", "abcdefgh", "abcdef"]);

        Scrub("abcdefgh abcdef abcd").ShouldBe("*** *** ***");
    }

    [Fact]
    public void A_value_too_short_to_be_a_secret_is_not_redacted_elsewhere_in_the_text()
    {
        _request.RequestUri = new("https://a.example/?x=a&y=it&z=&w=the");

        Scrub("it was the a").ShouldBe("it was the a");
    }

    [Fact]
    public void A_request_without_an_absolute_URI_has_no_secrets_in_it()
    {
        using var relative = new HttpRequestMessage(HttpMethod.Get, "v1?sig=abcdef");
        using var none = new HttpRequestMessage();

        Redaction.Scrub("abcdef", relative).ShouldBe("abcdef");
        Redaction.Scrub("abcdef", none).ShouldBe("abcdef");
    }

    [Theory]
    [InlineData("Authorization")]
    [InlineData("PROXY-AUTHORIZATION")]
    [InlineData("Cookie")]
    [InlineData("X-Api-Key")]
    [InlineData("api_key")]
    [InlineData("ApiKey")]
    [InlineData("X-Auth-Key")]
    [InlineData("X-Access-Key")]
    [InlineData("X-Auth-Token")]
    [InlineData("X-Authorization")]
    [InlineData("X-Amz-Security-Token")]
    [InlineData("X-Functions-Key")]
    [InlineData("Ocp-Apim-Subscription-Key")]
    [InlineData("X-Vault-Token")]
    [InlineData("Client-Secret")]
    [InlineData("X-Hub-Signature-256")]
    [InlineData("X-Member-Pin")]
    public void Secret_headers_are_known_by_name(string name) => Redaction.IsSecret(name).ShouldBeTrue();

    [Theory]
    [InlineData("Accept")]
    [InlineData("Content-Type")]
    [InlineData("User-Agent")]
    [InlineData("Idempotency-Key")]
    [InlineData("X-Idempotency-Key")]
    [InlineData("X-Request-Id")]
    [InlineData("traceparent")]
    public void Other_headers_are_not(string name) => Redaction.IsSecret(name).ShouldBeFalse();

    private string Scrub(string text) => Redaction.Scrub(text, _request);
}
