using System.Diagnostics;

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
    [InlineData("?page=1;sig=abcdef", "bad sig abcdef", "bad sig ***")]
    [InlineData("?sig=ab;cd", "bad sig ab;cd", "bad sig ***")]
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

    [Theory]
    [InlineData("{\"user\":\"jane\",\"password\":\"hunter22\"}", "hunter22 of jane is weak", "*** of jane is weak")]
    [InlineData("{\"card\":{\"number\":\"4111111111111111\",\"cvv\":123}}", "card 4111111111111111 declined", "card *** declined")]
    [InlineData("{\"pin\":\"ab\\u002Bcd\\\"ef\"}", "bad pin ab+cd\"ef here", "bad pin *** here")]
    [InlineData("grant_type=password&password=hunt%2Fer22", "no hunt/er22 here", "no *** here")]
    [InlineData("<login><password>hunter&amp;22</password></login>", "no hunter&22 here", "no *** here")]
    public void Secret_values_of_the_body_of_the_request_are_struck_out(string body, string text, string scrubbed)
    {
        _request.Content = new StringContent(body);

        Scrub(text).ShouldBe(scrubbed);
    }

    [Fact]
    public void They_are_found_in_contents_of_the_platform()
    {
        HttpContent[] contents =
        [
            System.Net.Http.Json.JsonContent.Create(new Dictionary<string, string> { ["password"] = "hunter22" }),
            new FormUrlEncodedContent([new("password", "hunter22")]),
            new MultipartFormDataContent { { new StringContent("hunter22"), "password" } },
            new ReadOnlyMemoryContent("{\"password\":\"hunter22\"}"u8.ToArray()),
        ];
        foreach (var content in contents)
        {
            _request.Content = content;
            Scrub("no hunter22 here").ShouldBe("no *** here", content.GetType().Name);
        }
    }

    [Fact]
    public void A_body_that_cannot_be_read_does_no_harm()
    {
        _request.Content = new StreamContent(Stream.Null);
        Scrub("fine").ShouldBe("fine");
        _request.Content = new StringContent("{\"password\":\"hunter22\"}");
        _request.Content.Dispose();
        Scrub("fine").ShouldBe("fine");
    }

    [Fact]
    public void Secrets_of_a_copy_that_a_handler_has_sent_are_struck_out()
    {
        using var copy = new HttpRequestMessage(HttpMethod.Post, "https://a.example/v1");
        copy.Headers.TryAddWithoutValidation("X-Api-Key", "k-123456");
        using var response = new HttpResponseMessage { RequestMessage = copy };

        Redaction.Scrub("bad key k-123456", _request, response).ShouldBe("bad key ***");
    }

    [Fact]
    public void The_cookie_that_a_response_sets_is_struck_out_and_its_attributes_are_not()
    {
        using var response = new HttpResponseMessage();
        response.Headers.TryAddWithoutValidation("Set-Cookie", "sid=s3ss10n; Path=/secure; HttpOnly");

        Redaction.Scrub("cookie s3ss10n, Path=/secure, HttpOnly", _request, response).ShouldBe("cookie ***, Path=/secure, HttpOnly");
    }

    [Theory]
    [InlineData("bad key k-1\u200b23\u202e456", "bad key ***")]
    [InlineData("{\"pass\u200bword\":\"x\"}", "{\"password\":\"***\"}")]
    public void Unseen_characters_do_not_hide_a_secret(string text, string scrubbed)
    {
        _request.Headers.TryAddWithoutValidation("X-Api-Key", "k-123456");

        Scrub(text).ShouldBe(scrubbed);
    }

    [Fact]
    public void A_signed_URI_in_another_header_is_struck_out()
    {
        _request.Headers.TryAddWithoutValidation("x-ms-copy-source", "https://b.example/blob?sv=1&sig=abc%2Fdef%3D");

        Scrub("cannot read with abc/def=").ShouldBe("cannot read with ***");
    }

    [Fact]
    public void An_exception_with_a_secret_in_it_or_inside_it_is_logged_without()
    {
        _request.Headers.TryAddWithoutValidation("X-Api-Key", "k-123456");
        var clean = new InvalidOperationException("fine");
        var exception = new InvalidOperationException("outer", new HttpRequestException("400 (Bad key k-123456)"));

        Redaction.Loggable(clean, _request).ShouldBeSameAs(clean);
        var logged = Redaction.Loggable(exception, _request);
        logged.ToString().ShouldContain("System.Net.Http.HttpRequestException: 400 (Bad key ***)");
        logged.Message.ShouldBe("System.InvalidOperationException: outer");
        logged.InnerException.ShouldBeNull();
    }

    [Fact]
    public void A_field_of_a_response_that_echoes_a_secret_is_not_stored()
    {
        _request.Headers.TryAddWithoutValidation("X-Api-Key", "k-123456");

        string[] secrets = Redaction.EchoesOf(_request);
        Redaction.MayBeStored("X-Debug", "key=k-123456", secrets).ShouldBeFalse();
        Redaction.MayBeStored("Location", "https://b.example/blob?sig=abc", secrets).ShouldBeFalse();
        Redaction.MayBeStored("Set-Cookie", "a=b", secrets).ShouldBeFalse();
        Redaction.MayBeStored("Location", "https://b.example/orders/5", secrets).ShouldBeTrue();
        Redaction.MayBeStored("ETag", "\"abc\"", secrets).ShouldBeTrue();
    }

    [Fact]
    public void A_thousand_secrets_of_a_request_are_found_in_one_pass()
    {
        string[] secrets = [.. Enumerable.Range(0, 1_000).Select(i => $"<{i}>{new string('+', 150)}\"{i}+")];
        _request.Headers.TryAddWithoutValidation("X-Api-Key", secrets);
        string text = string.Concat(Enumerable.Repeat("{\\\"error\\\":\\\"a%20b%2520c\\\"}", 10_000));
        var clock = Stopwatch.StartNew();

        Scrub($"{secrets[999]} {text} {Uri.EscapeDataString(secrets[0])}").ShouldBe($"*** {text} ***");

        clock.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(20), "a pass for each takes a minute");
    }

    [Fact]
    public void A_server_that_sends_many_secrets_does_not_hide_those_of_the_request()
    {
        using var response = new HttpResponseMessage();
        response.Headers.TryAddWithoutValidation("X-Token", string.Join(',', Enumerable.Range(1_000, 2_000)));
        _request.Content = new StringContent("{\"password\":\"hunter22\"}");

        Redaction.Scrub("no user has hunter22", _request, response).ShouldBe("no user has ***");
    }

    [Fact]
    public void The_scheme_of_credentials_is_no_secret()
    {
        _request.Headers.TryAddWithoutValidation("Authorization", "Bearer eyJhbGciOi.abc-def");

        Scrub("the bearer token eyJhbGciOi.abc-def has expired").ShouldBe("the bearer token *** has expired");
    }

    [Fact]
    public void Secrets_that_overlap_are_struck_out_as_a_whole()
    {
        _request.Headers.TryAddWithoutValidation("X-Api-Key", ["first-key", "key-second-long"]);

        Scrub("bad first-key-second-long!").ShouldBe("bad ***!");
    }

    private string Scrub(string text) => Redaction.Scrub(text, _request);
}
