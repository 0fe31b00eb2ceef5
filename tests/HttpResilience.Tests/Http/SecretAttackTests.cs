using System.Net;
using System.Text;
using System.Text.Json;

namespace HttpResilience.Tests.Http;

/// <summary>Names, encodings and forms of echoes that the tables of the other tests do not have.</summary>
public sealed class SecretAttackTests : IDisposable
{
    private const string Secret = "S3kr3t+V4lue/9=";

    private static readonly Redaction Redaction = new([], []);

    private readonly HttpRequestMessage _request = new(HttpMethod.Post, "https://a.example/v1");

    public void Dispose() => _request.Dispose();

    [Theory]
    [InlineData("X-Access-Token-V2")]
    [InlineData("X_API_KEY")]
    [InlineData("X.Auth")]
    [InlineData("XAuthToken")]
    [InlineData("x-authtoken")]
    [InlineData("X-UserSession")]
    [InlineData("x-usersession")]
    [InlineData("X-AppPassword")]
    [InlineData("X-Login-Passwd")]
    [InlineData("X-MyAppApiKey")]
    [InlineData("X-SIGNATURE-V1")]
    [InlineData("X-HMAC")]
    [InlineData("X-Client-Certificate")]
    [InlineData("OWASP_CSRFTOKEN")]
    [InlineData("X-XSRF-TOKEN")]
    [InlineData("Sec-Token-Binding")]
    [InlineData("Signature-Input")]
    [InlineData("X-SAML-Assertion")]
    [InlineData("X-Bearer")]
    [InlineData("WWW-Authenticate-Session")]
    [InlineData("X-IDToken")]
    [InlineData("x-id-token")]
    [InlineData("X-Master-Key")]
    [InlineData("X-2FA-OTP")]
    [InlineData("X-PassPhrase")]
    [InlineData("Cookie2")]
    [InlineData("X-Shared-Secrets")]
    [InlineData("X-JWTs")]
    public void Headers(string name) => SecretNames.BuiltIn.IsHeader(name).ShouldBeTrue();

    [Theory]
    [InlineData("X-Keynote")]
    [InlineData("X-Passage")]
    [InlineData("X-Session-Count")]
    [InlineData("X-Assign")]
    [InlineData("X-Redesign")]
    [InlineData("X-Signup-Source")]
    [InlineData("X-Authority")]
    [InlineData("X-Authored-By")]
    [InlineData("X-Certainty")]
    [InlineData("X-Concert-Id")]
    [InlineData("X-Principality")]
    [InlineData("X-Sigma")]
    [InlineData("X-Secretariat")]
    [InlineData("X-Jockey-Id")]
    [InlineData("X-Keywords")]
    [InlineData("X-Cookies-Accepted-Count")]
    [InlineData("Sort-Key")]
    public void Harmless(string name) => SecretNames.BuiltIn.IsHeader(name).ShouldBeFalse();

    public static TheoryData<string, string> Echoes
    {
        get
        {
            string base64 = Convert.ToBase64String(Encoding.UTF8.GetBytes(Secret));
            string twice = Uri.EscapeDataString(Uri.EscapeDataString(Secret));
            return new()
            {
                { "as it is", $"bad {Secret} here" },
                { "in quotes", $"bad \"{Secret}\" here" },
                { "JSON", JsonSerializer.Serialize($"bad {Secret} here") },
                { "JSON in JSON", JsonSerializer.Serialize(JsonSerializer.Serialize($"bad {Secret} here")) },
                { "escaped", $"bad {Uri.EscapeDataString(Secret)} here" },
                { "escaped twice", $"bad {twice} here" },
                { "form", $"bad {WebUtility.UrlEncode(Secret)} here" },
                { "HTML", $"bad {WebUtility.HtmlEncode(Secret)} here" },
                { "numeric entities", $"bad {string.Concat(Secret.Select(c => $"&#{(int)c};"))} here" },
                { "hex entities", $"bad {string.Concat(Secret.Select(c => $"&#x{(int)c:x};"))} here" },
                { "all escaped", $"bad {string.Concat(Secret.Select(c => $"%{(int)c:X2}"))} here" },
                { "all as JSON escapes", $"bad {string.Concat(Secret.Select(c => $"\\u{(int)c:x4}"))} here" },
                { "upper case", $"bad {Secret.ToUpperInvariant()} here" },
                { "zero width", $"bad {string.Join('\u200b', Secret.ToCharArray())} here" },
                { "soft hyphens", $"bad {string.Join('\u00ad', Secret.ToCharArray())} here" },
                { "base64", $"bad {base64} here" },
                { "cut off", $"bad {Secret[..10]}" },
                { "joined", $"xx{Secret}yy" },
            };
        }
    }

    [Theory, MemberData(nameof(Echoes))]
    public void Echoes_of_a_header(string form, string text)
    {
        _request.Headers.TryAddWithoutValidation("X-Api-Key", Secret);
        string scrubbed = Redaction.Scrub(text, _request);

        scrubbed.ShouldContain("***", Case.Sensitive, form);
        scrubbed.ShouldNotContain("V4lue", Case.Insensitive, form);
        scrubbed.ShouldNotContain("VjRsdWU", Case.Sensitive, form);
    }

    [Theory]
    [InlineData("{\"PassWord\" :\t\"S3kr3tV4lue\"}")]
    [InlineData("{\"user.password\":\"S3kr3tV4lue\"}")]
    [InlineData("{\"$.password\":\"S3kr3tV4lue\"}")]
    [InlineData("{\"password\":\n\n  \"S3kr3tV4lue\"}")]
    [InlineData("{\"password\":[[\"S3kr3tV4lue\"]]}")]
    [InlineData("{\"password\":{\"a\":{\"b\":\"S3kr3tV4lue\"}},\"z\":1}")]
    [InlineData("{\"a\":1,\"secret\":\"S3kr3t V4lue with blanks\"}")]
    [InlineData("{\"secret\":\"a\\\\\\\"S3kr3tV4lue\"}")]
    [InlineData("{\"key\":\"password\",\"value\":\"S3kr3tV4lue\"}")]
    [InlineData("{\"name\":\"password\",\"given\":\"S3kr3tV4lue\"}")]
    [InlineData("{\"errors\":{\"password\":[\"'S3kr3tV4lue' is too short\"]}}")]
    [InlineData("[\"password\",\"x\"] password=\"S3kr3tV4lue\"")]
    [InlineData("Received: password = S3kr3tV4lue")]
    [InlineData("password:S3kr3tV4lue")]
    [InlineData("card_number -> 'x' cvv='S3kr3tV4lue'")]
    [InlineData("<user:pin>S3kr3tV4lue</user:pin>")]
    [InlineData("<PASSWORD>S3kr3tV4lue</password>")]
    [InlineData("<password>S3kr3tV4lue")]
    [InlineData("<password><value>S3kr3tV4lue</value></password>")]
    [InlineData("<param name='token' value='S3kr3tV4lue'/>")]
    [InlineData("a=1&b[token]=S3kr3tV4lue&c=2")]
    [InlineData("a=1&amp;token=S3kr3tV4lue&amp;c=2")]
    [InlineData("a=1%26token%3DS3kr3tV4lue")]
    [InlineData("GET /x?sig=S3kr3tV4lue HTTP/1.1")]
    [InlineData("Cookie: theme=dark; sid=S3kr3tV4lue")]
    [InlineData("set-cookie: sid=S3kr3tV4lue; Path=/")]
    [InlineData("Authorization: Digest username=\"x\", response=\"S3kr3tV4lue\"")]
    [InlineData("proxy-authorization: Basic S3kr3tV4lue==")]
    [InlineData("x-amz-security-token: S3kr3tV4lue")]
    [InlineData("https://S3kr3tV4lue@a.example/x")]
    [InlineData("postgres://app:S3kr3tV4lue@db:5432/x")]
    [InlineData("{\"url\":\"https:\\/\\/app:S3kr3tV4lue@db\\/x\"}")]
    [InlineData("Server=db;User Id=app;Password=S3kr3tV4lue;")]
    [InlineData("--boundary\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nS3kr3tV4lue\r\n--boundary--")]
    [InlineData("{\\\"password\\\":\\\"S3kr3tV4lue\\\"}")]
    [InlineData("%7B%22password%22%3A%22S3kr3tV4lue%22%7D")]
    [InlineData("{&quot;token&quot;: &quot;S3kr3tV4lue&quot;}")]
    [InlineData("password\u200b: S3kr3tV4lue")]
    [InlineData("{\"\u202epassword\":\"S3kr3tV4lue\"}")]
    [InlineData("password is: S3kr3tV4lue")]
    [InlineData("password:\u00a0S3kr3tV4lue")]
    public void Values_of_secret_names(string text)
    {
        string scrubbed = Redaction.Scrub(text, _request);

        scrubbed.ShouldNotContain("V4lue", Case.Insensitive, scrubbed);
    }

    [Theory]
    [InlineData("https://a.example/x?SIG=S3kr3t")]
    [InlineData("https://a.example/x?a=1&&sig=S3kr3t&")]
    [InlineData("https://a.example/x?;sig=S3kr3t")]
    [InlineData("https://a.example/x?sig[]=S3kr3t")]
    [InlineData("https://a.example/x?sig=1&sig=S3kr3t")]
    [InlineData("https://a.example/x?%61ccess_token=S3kr3t")]
    [InlineData("https://a.example/x?access%5Ftoken=S3kr3t")]
    [InlineData("https://a.example/x?q=a?sig=S3kr3t")]
    [InlineData("https://a.example/x?url=https%3A%2F%2Fb%2F%3Fsig%3DS3kr3t")]
    [InlineData("https://a.example/x?next=/y?token=S3kr3t")]
    [InlineData("https://a.example/x?\u200bsig=S3kr3t")]
    [InlineData("https://a.example/x?filter={\"password\":\"S3kr3t\"}")]
    public void Queries(string uri)
    {
        var sent = new Uri(uri);
        var leftOut = LeftOutRules.Of(sent, [], SecretNames.BuiltIn, keyHeader: null);

        leftOut.Count.ShouldBe(1);
        LetterUri.Of(sent, leftOut).Uri.AbsoluteUri.ShouldNotContain("S3kr3t");
    }
}
