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

    // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac secret
    [Fact]
    public void The_signature_equals_that_of_OpenSSL() =>
        AlertWebhook.Sign("secret", 1_700_000_000, Encoding.UTF8.GetBytes("""{"a":1}"""))
            .ShouldBe("t=1700000000,v1=49f24e537407743fa4a0242bb63b94b9a47ee99cbbe071ccd8a22550ae411686");

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
