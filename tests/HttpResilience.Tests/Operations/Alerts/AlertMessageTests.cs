using System.Text;
using System.Text.Json;

namespace HttpResilience.Tests.Operations.Alerts;

/// <summary>The messages to webhooks.</summary>
public sealed class AlertMessageTests
{
    private static readonly Alert Sample = new()
    {
        Id = Guid.Parse("0190a1b2-0000-7000-8000-000000000001"),
        Rule = AlertRuleType.CircuitOpened,
        Rules = [AlertRuleType.CircuitOpened, AlertRuleType.FailuresInWindow],
        Phase = AlertPhase.Started,
        Severity = AlertSeverity.Critical,
        ClientName = "api",
        Authority = "https://api.test",
        Tenant = "<!channel> & co",
        Title = "api: calls of tenant <!channel> & co fail",
        Detail = "5 > 4",
        StartedAt = ManualTimeProvider.DefaultStart,
        At = ManualTimeProvider.DefaultStart,
        Count = 1,
        Values = new Dictionary<string, double> { ["failuresInARow"] = 5 },
        DeploymentVersion = "1.2",
    };

    [Theory]
    [InlineData(AlertPhase.Started, "[Critical] *api: calls of tenant &lt;!channel&gt; &amp; co fail*\n5 &gt; 4\nVersion 1.2")]
    [InlineData(AlertPhase.Reminder, "[Critical, still] *api: calls of tenant &lt;!channel&gt; &amp; co fail*\n5 &gt; 4\nVersion 1.2")]
    [InlineData(AlertPhase.Ended, "[Over] *api: calls of tenant &lt;!channel&gt; &amp; co fail*\n5 &gt; 4\nVersion 1.2")]
    public void The_text_for_Slack_cannot_mention_the_whole_channel(AlertPhase phase, string text)
    {
        using var message = JsonDocument.Parse(AlertJson.Write(Sample with { Phase = phase }, AlertWebhookFormat.Slack));

        message.RootElement.EnumerateObject().ShouldHaveSingleItem().Name.ShouldBe("text");
        message.RootElement.GetProperty("text").GetString().ShouldBe(text);
    }

    [Fact]
    public void The_plain_form_has_every_field_that_is_not_null()
    {
        using var message = JsonDocument.Parse(AlertJson.Write(Sample, AlertWebhookFormat.Json));
        var root = message.RootElement;

        root.EnumerateObject().Select(p => p.Name).ShouldBe(
            ["id", "rule", "rules", "phase", "severity", "clientName", "authority", "tenant", "title", "detail", "startedAt", "at",
                "count", "values", "deploymentVersion"], ignoreOrder: true);
        root.GetProperty("rule").GetString().ShouldBe("CircuitOpened");
        root.GetProperty("rules").EnumerateArray().Select(r => r.GetString()).ShouldBe(["CircuitOpened", "FailuresInWindow"]);
        root.GetProperty("startedAt").GetString().ShouldBe("2030-01-02T03:04:05+00:00");
        root.GetProperty("values").GetProperty("failuresInARow").GetDouble().ShouldBe(5);
        JsonSerializer.Deserialize(AlertJson.Write(Sample, AlertWebhookFormat.Json), AlertJson.Default.Alert)!.Id.ShouldBe(Sample.Id);
    }

    [Theory]
    [InlineData(AlertSeverity.Warning, AlertSeverity.Critical, false)]
    [InlineData(AlertSeverity.Critical, AlertSeverity.Critical, true)]
    [InlineData(AlertSeverity.Warning, AlertSeverity.Warning, true)]
    public async Task An_alert_below_the_minimum_severity_is_not_sent(AlertSeverity severity, AlertSeverity minimum, bool isSent)
    {
        var server = new FaultScript(new ManualTimeProvider());
        var sink = new WebhookAlertSink(new(new("https://hooks.test/T0K3N"), default, null, minimum), new Factory(server), letters: null,
            TimeProvider.System, new LogCollector().CreateLogger("test"));

        await sink.SendAsync(Sample with { Severity = severity }, TestContext.Current.CancellationToken);

        server.Requests.Count.ShouldBe(isSent ? 1 : 0);
    }

    [Fact]
    public void The_message_for_Teams_is_an_adaptive_card() =>
        Encoding.UTF8.GetString(AlertJson.Write(Sample with { Title = "api: calls fail", Detail = "5 calls" }, AlertWebhookFormat.Teams))
            .Replace('"', '\'').ShouldBe(
            "{'type':'message','attachments':[{'contentType':'application/vnd.microsoft.card.adaptive','content':{'body':["
            + @"{'text':'\\[Critical\\] api: calls fail','weight':'Bolder','color':'Attention','type':'TextBlock','wrap':true},"
            + "{'text':'5 calls','type':'TextBlock','wrap':true},"
            + "{'text':'Version 1.2','isSubtle':true,'type':'TextBlock','wrap':true}],"
            + "'$schema':'http://adaptivecards.io/schemas/adaptive-card.json','type':'AdaptiveCard','version':'1.4'}}]}");

    [Theory]
    [InlineData(AlertPhase.Started, AlertSeverity.Warning, "Warning")]
    [InlineData(AlertPhase.Reminder, AlertSeverity.Critical, "Attention")]
    [InlineData(AlertPhase.Ended, AlertSeverity.Critical, "Good")]
    public void The_color_for_Teams_shows_phase_and_severity(AlertPhase phase, AlertSeverity severity, string color) =>
        TeamsMessage.Of(Sample with { Phase = phase, Severity = severity }).Attachments[0].Content.Body[0].Color.ShouldBe(color);

    [Theory]
    [InlineData("**bold** _it_ `code`", @"\*\*bold\*\* \_it\_ \`code\`")]
    [InlineData("[click](https://evil.test)", @"\[click\](https://evil.test)")]
    [InlineData("![x](https://evil.test/p.png)", @"\!\[x\](https://evil.test/p.png)")]
    [InlineData("<at>everyone</at>", @"\<at\>everyone\</at\>")]
    [InlineData("{{DATE(2017-02-14T06:08:39Z, SHORT)}}", @"\{\{DATE(2017-02-14T06:08:39Z, SHORT)}}")]
    [InlineData("# heading", @"\# heading")]
    [InlineData("- item", @"\- item")]
    [InlineData("  12. item", @"  12\. item")]
    [InlineData("7) item", @"7\) item")]
    [InlineData("a - b. (c) #d", "a - b. (c) #d")]
    [InlineData("a|b|c &amp; ~~no~~", @"a\|b\|c \&amp; \~\~no\~\~")]
    [InlineData(@"C:\temp", @"C:\\temp")]
    [InlineData("", "")]
    [InlineData("Grüße 😀 e\u0301", "Grüße 😀 e\u0301")]
    public void Markup_of_tenants_and_servers_is_text_for_Teams(string text, string escaped) => ChatText.ForTeams(text).ShouldBe(escaped);

    [Theory]
    [InlineData("<!channel>", "&lt;!channel&gt;")]
    [InlineData("<!here|here>", "&lt;!here|here&gt;")]
    [InlineData("<@U024BE7LH>", "&lt;@U024BE7LH&gt;")]
    [InlineData("<https://evil.test|bank>", "&lt;https://evil.test|bank&gt;")]
    [InlineData("&lt;!channel&gt;", "&amp;lt;!channel&amp;gt;")]
    [InlineData("*x* _y_ ~z~ `c`", "\u2217x\u2217 \u02CDy\u02CD \u223Cz\u223C \u02CBc\u02CB")]
    [InlineData("*", "\u2217")]
    [InlineData("my_api_v2 5*3 a~b", "my_api_v2 5*3 a~b")]
    [InlineData("> quoted", "\u203A quoted")]
    [InlineData("5 > 4", "5 &gt; 4")]
    public void Control_sequences_are_text_for_Slack(string text, string escaped) => ChatText.ForSlack(text).ShouldBe(escaped);

    [Fact]
    public void A_text_that_a_chat_would_reject_is_cut_between_characters()
    {
        string emoji = string.Concat(Enumerable.Repeat("😀", 3000));

        ChatText.ForSlack(emoji).ShouldBe(string.Concat(Enumerable.Repeat("😀", 1500)) + "…");
        ChatText.ForTeams("x" + emoji).ShouldBe("x" + string.Concat(Enumerable.Repeat("😀", 1499)) + "…");
    }

    // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac secret
    [Fact]
    public void The_obsolete_signature_equals_that_of_OpenSSL() =>
        WebhookSignature.SignObsolete("secret", 1_700_000_000, Encoding.UTF8.GetBytes("""{"a":1}"""))
            .ShouldBe("t=1700000000,v1=49f24e537407743fa4a0242bb63b94b9a47ee99cbbe071ccd8a22550ae411686");

    // The published test vector of Standard Webhooks, with which its libraries are tested.
    private const string PublishedSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    private const string PublishedSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    [Fact]
    public void The_signature_equals_that_of_the_published_test_vector() => WebhookSignature.Sign(
        [PublishedSecret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, Encoding.UTF8.GetBytes("""{"test": 2432232314}"""))
        .ShouldBe(PublishedSignature);

    [Fact]
    public void A_secret_that_is_rotated_signs_beside_the_new_one()
    {
        string signature = WebhookSignature.Sign(
            ["whsec_" + Convert.ToBase64String(new byte[24]), PublishedSecret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
            Encoding.UTF8.GetBytes("""{"test": 2432232314}"""));

        signature.Split(' ').Length.ShouldBe(2);
        signature.Split(' ')[1].ShouldBe(PublishedSignature);
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData("any text", true)]
    [InlineData("WHSEC_x", true)]
    [InlineData(PublishedSecret, true)]
    [InlineData("whsec_", false)]
    [InlineData("whsec_c2hvcnQ=", false)]
    [InlineData("whsec_not base64!", false)]
    [InlineData("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", false)]
    public void A_secret_with_the_prefix_is_24_to_64_bytes_of_Base64(string? secret, bool isValid)
    {
        WebhookSignature.IsValid(secret).ShouldBe(isValid);
        WebhookSignature.IsValid("whsec_" + Convert.ToBase64String(new byte[64])).ShouldBeTrue();
        WebhookSignature.IsValid("whsec_" + Convert.ToBase64String(new byte[65])).ShouldBeFalse();
        WebhookSignature.IsValid("whsec_" + Convert.ToBase64String(new byte[23])).ShouldBeFalse();
    }

    [Fact]
    public void The_alias_of_an_address_reveals_nothing_of_it_and_distinguishes_two_of_one_host()
    {
        var one = new AlertWebhook(new("https://user:pw@hooks.test:8443/services/T0K3N?key=1"), default, "s3cret", default);
        var other = new AlertWebhook(new("https://hooks.test:8443/services/OTHER"), default, null, default);

        one.Placeholder.AbsoluteUri.ShouldMatch("^https://hooks.test:8443/http-resilience-alert/[0-9a-f]{8}$");
        other.Placeholder.ShouldNotBe(one.Placeholder);
        one.ToString().ShouldBe("https://hooks.test:8443");
    }

    private sealed class Factory(HttpMessageHandler server) : IHttpClientFactory
    {
        public HttpClient CreateClient(string name) => new(server, disposeHandler: false);
    }
}
