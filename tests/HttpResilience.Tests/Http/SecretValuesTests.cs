using System.Diagnostics;
using System.Net;
using System.Text.Json;

namespace HttpResilience.Tests.Http;

/// <summary>Values of secret names in a text of a server are struck out, in whatever form the text has.</summary>
public sealed class SecretValuesTests
{
    private const string Marker = "S3kr3tV4lue";

    private static readonly SecretNames Names = new([], ["member"], []);

    [Theory]
    [InlineData("""{"password":"S3kr3tV4lue","name":"jane"}""", """{"password":"***","name":"jane"}""")]
    [InlineData("""{"password" : "S3kr3tV4lue"}""", """{"password" : "***"}""")]
    [InlineData("""{"user":{"credentials":{"login":"S3kr3tV4lue"}},"id":5}""", """{"user":{"credentials":***},"id":5}""")]
    [InlineData("""{"items":[{"card":"S3kr3tV4lue"},{"cvv":123}],"n":1}""", """{"items":[{"card":"***"},{"cvv":***}],"n":1}""")]
    [InlineData("""{"cardNumber":4111111111111111,"amount":5}""", """{"cardNumber":***,"amount":5}""")]
    [InlineData("""{"tokens":["S3kr3tV4lue","b"],"x":1}""", """{"tokens":***,"x":1}""")]
    [InlineData("""{"\u0070assword":"S3kr3tV4lue"}""", """{"\u0070assword":"***"}""")]
    [InlineData("""{"pass\u0077ord":"S3kr3tV4lue"}""", """{"pass\u0077ord":"***"}""")]
    [InlineData("""{"password":"S3kr3t\"V4lue","x":"y"}""", """{"password":"***","x":"y"}""")]
    [InlineData("""{"password":"S3kr3t\\","x":"y"}""", """{"password":"***","x":"y"}""")]
    [InlineData("""{"password":"S3kr3t\u0022V4lue","x":"y"}""", """{"password":"***","x":"y"}""")]
    [InlineData("""{"password":"S3kr3tV4l""", """{"password":"***""")]
    [InlineData("""{"secret":{"a":["S3kr3tV4l""", """{"secret":***""")]
    [InlineData("""{"password":null,"token":true,"x":1}""", """{"password":null,"token":true,"x":1}""")]
    [InlineData("""{"d":"body {\"password\":\"S3kr3tV4lue\",\"n\":1}"}""", """{"d":"body {\"password\":\"***\",\"n\":1}"}""")]
    [InlineData("""{"d":"{\"e\":\"{\\\"pin\\\":\\\"S3kr3tV4lue\\\"}\"}"}""", """{"d":"{\"e\":\"{\\\"pin\\\":\\\"***\\\"}\"}"}""")]
    [InlineData("""{"d":"{\u0022pin\u0022:\u0022S3kr3tV4lue\u0022}"}""", """{"d":"{\u0022pin\u0022:\u0022***\u0022}"}""")]
    [InlineData("""{'password': 'S3kr3tV4lue', 'n': 1}""", """{'password': '***', 'n': 1}""")]
    [InlineData("""{password: S3kr3tV4lue, n: 1}""", """{password: ***, n: 1}""")]
    public void Json(string text, string struck) => SecretValues.Strike(text, Names).ShouldBe(struck);

    [Theory]
    [InlineData("<password>S3kr3tV4lue</password><n>1</n>", "<password>***</password><n>1</n>")]
    [InlineData("<s:Password kind=\"text\">S3kr3tV4lue</s:Password><n>1</n>", "<s:Password kind=\"text\">***</s:Password><n>1</n>")]
    [InlineData("<password><![CDATA[S3kr3t<V4lue]]></password>", "<password>***</password>")]
    [InlineData("<card><number>S3kr3tV4lue</number></card>", "<card>***</card>")]
    [InlineData("<login password=\"S3kr3tV4lue\" n='1'/>", "<login password=\"***\" n='1'/>")]
    [InlineData("<password>S3kr3tV4l", "<password>***")]
    [InlineData("<password", "<password")]
    [InlineData("<token/><n>1</n>", "<token/><n>1</n>")]
    [InlineData("&lt;password&gt;S3kr3tV4lue&lt;/password&gt;", "&lt;password&gt;***&lt;/password&gt;")]
    [InlineData("{&quot;password&quot;:&quot;S3kr3tV4lue&quot;,&quot;n&quot;:1}", "{&quot;password&quot;:&quot;***&quot;,&quot;n&quot;:1}")]
    [InlineData("<p>{&#34;password&#34;:&#x22;S3kr3tV4lue&#x22;}</p>", "<p>{&#34;password&#34;:&#x22;***&#x22;}</p>")]
    public void Xml_and_html(string text, string struck) => SecretValues.Strike(text, Names).ShouldBe(struck);

    [Theory]
    [InlineData("grant_type=password&password=S3kr3tV4lue&n=1", "grant_type=password&password=***&n=1")]
    [InlineData("client_secret=S3kr3t%26V4lue&n=1", "client_secret=***&n=1")]
    [InlineData("%70assword=S3kr3tV4lue", "%70assword=***")]
    [InlineData("user%5Bpassword%5D=S3kr3tV4lue&n=1", "user%5Bpassword%5D=***&n=1")]
    [InlineData("user[password]=S3kr3tV4lue&n=1", "user[password]=***&n=1")]
    [InlineData("body was password%3DS3kr3tV4lue%26n%3D1", "body was password%3D***%26n%3D1")]
    [InlineData("see https://a.example/x?code=S3kr3tV4lue&n=1 now", "see https://a.example/x?code=***&n=1 now")]
    [InlineData("see https://a.example/x?n=1&member=S3kr3tV4lue", "see https://a.example/x?n=1&member=***")]
    [InlineData("see /x;jsessionid=S3kr3tV4lue?n=1", "see /x;jsessionid=***")]
    [InlineData("at https://jane:S3kr3tV4lue@a.example/x", "at https://***@a.example/x")]
    public void Forms_and_URIs(string text, string struck) => SecretValues.Strike(text, Names).ShouldBe(struck);

    [Theory]
    [InlineData("Authorization: Bearer S3kr3tV4lue\nHost: a", "Authorization: ***\nHost: a")]
    [InlineData("Cookie: a=S3kr3tV4lue; b=2\r\nHost: a", "Cookie: ***\r\nHost: a")]
    [InlineData("X-Api-Key: S3kr3tV4lue was not found", "X-Api-Key: *** was not found")]
    [InlineData("x-api-key=S3kr3tV4lue", "x-api-key=***")]
    [InlineData("invalid token 'abc' for password='S3kr3tV4lue'", "invalid token 'abc' for password='***'")]
    [InlineData("password => S3kr3tV4lue", "password => ***")]
    [InlineData("auth: Basic S3kr3tV4lue, retry", "auth: ***, retry")]
    public void Header_lines_and_messages(string text, string struck) => SecretValues.Strike(text, Names).ShouldBe(struck);

    [Theory]
    [InlineData("""{"field":"password","rejectedValue":"S3kr3tV4lue","code":"short"}""")]
    [InlineData("""{"rejectedValue":"S3kr3tV4lue","field":"password","code":"short"}""")]
    [InlineData("""{"loc":["body","password"],"msg":"short","input":"S3kr3tV4lue"}""")]
    [InlineData("""{"propertyName":"Password","attemptedValue":"S3kr3tV4lue"}""")]
    [InlineData("""{"pointer":"/user/password","value":"S3kr3tV4lue"}""")]
    [InlineData("""<error field="password" value="S3kr3tV4lue"/>""")]
    public void The_value_that_a_validator_reports_beside_the_name_of_a_secret_field(string text) =>
        SecretValues.Strike(text, Names).ShouldBe(text.Replace(Marker, "***", StringComparison.Ordinal));

    [Theory]
    [InlineData("plain text")]
    [InlineData("the password is too short")]
    [InlineData("Invalid session")]
    [InlineData("""{"title":"Not found","code":"E404","detail":"no order 5: gone"}""")]
    [InlineData("""{"errors":[{"field":"amount","value":"12"},{"field":"date"}]}""")]
    [InlineData("https://a.example/x?page=2&sort=up")]
    [InlineData("at 12:30:45 in C:\\dir\\token::new")]
    [InlineData("100 % of <b>all</b> &amp; more")]
    [InlineData("mailto:jane@a.example or ssh://a.example/x@y")]
    [InlineData("")]
    public void Other_text_stays(string text) => SecretValues.Strike(text, Names).ShouldBe(text);

    [Fact]
    public void Values_are_found_with_the_texts_inside_them() =>
        SecretValues.In("""{"password":"abcd","card":{"number":"4111","cvv":123},"n":"x"}""", Names)
            .ShouldBe(["abcd", "number", "4111", "cvv", "123"]);

    [Fact]
    public void Random_secrets_of_random_documents_are_struck_out_in_every_encoding()
    {
        var random = new Random(7);
        Func<string, string>[] encodings =
        [
            s => s, s => JsonSerializer.Serialize(s), s => JsonSerializer.Serialize(JsonSerializer.Serialize(s)), WebUtility.HtmlEncode,
            Uri.EscapeDataString, s => WebUtility.HtmlEncode(JsonSerializer.Serialize(s)),
        ];
        string[] names = ["password", "cardNumber", "access_token", "cvv", "clientSecret", "ssn"];
        for (int i = 0; i < 2_000; i++)
        {
            string secret = $"{Marker}{(char)random.Next(' ', 0x7f)}{(char)random.Next(' ', 0x7f)}{Marker}";
            var document = new Dictionary<string, object?> { ["a"] = "b", [names[random.Next(names.Length)]] = secret, ["z"] = 1 };
            object body = random.Next(3) switch { 0 => document, 1 => new[] { document }, _ => new { inner = document } };
            string text = encodings[random.Next(encodings.Length)](JsonSerializer.Serialize(body));
            text = random.Next(4) == 0 ? text[..random.Next(text.Length)] : text;

            SecretValues.Strike(text, Names).ShouldNotContain(Marker, Case.Sensitive, $"in {text}");
        }
    }

    [Fact]
    public void The_time_of_a_text_grows_with_its_length_only()
    {
        static string Repeat(string piece) => string.Concat(Enumerable.Repeat(piece, 400_000 / piece.Length));
        var clock = Stopwatch.StartNew();
        SecretValues.Strike("{\"password\":[" + Repeat("\\"), Names);
        SecretValues.Strike(Repeat("{value:[[[ \"password\"}"), Names);
        SecretValues.Strike(Repeat("<password ") + "/>", Names);
        clock.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(20), "each of them took a minute when the rest was read again and again");
    }

    [Fact]
    public void No_text_makes_it_throw_or_take_long()
    {
        string[] pieces =
        [
            "password", "value", "\"", "\\\"", "\\", ":", "=", "{", "}", "[", "]", "<", ">", "</", "<token", "%22", "\\u0022", "&quot;",
            "&", "://", "@", " ", "\n", "x", "true", "'",
        ];
        var random = new Random(11);
        for (int i = 0; i < 20_000; i++)
        {
            string text = string.Concat(Enumerable.Range(0, random.Next(30)).Select(_ => pieces[random.Next(pieces.Length)]));
            Should.NotThrow(() => SecretValues.Strike(text, Names), text);
        }

        var clock = Stopwatch.StartNew();
        string[] costly = ["value={", "{value=[\"password\"", "<password>", "<password ", "value='password\"", "a://", .. pieces];
        foreach (string piece in costly)
            SecretValues.Strike(string.Concat(Enumerable.Repeat(piece, 200_000 / piece.Length)), Names);
        clock.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(60), "a scan that looks at the rest again and again takes hours");
    }
}
