using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace HttpResilience.Tests.Operations.Alerts;

/// <summary>The example under "Alerts" in the README.</summary>
public sealed class ReadmeExampleTests
{
    private const string Begin = "        // README\n", End = "        // end\n";

    private static readonly string Section = Repository.Read("README.md").ReplaceLineEndings("\n")
        .Split("## Alerts\n")[1].Split("\n## ")[0];

    [Fact]
    public async Task The_example_of_the_README_starts_a_host()
    {
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Configuration.AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(Section.Split("```json\n")[1].Split("```")[0])));
        builder.Services.AddResilientHttpClient("payments");
        // README
        builder.Services.AddHttpResilienceOperations();
        builder.Services.AddSingleton<IAlertSink, PagerSink>();
        // end
        using var host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);

        var policy = host.Services.GetRequiredService<AlertSettings>().Policy;
        policy.Rules.ShouldBe(
        [
            new(AlertRuleType.FailuresInWindow, "payments", 10, TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(30), AlertSeverity.Critical),
            new(AlertRuleType.TenantFailing, null, 5, TimeSpan.FromMinutes(5), TimeSpan.FromHours(1), AlertSeverity.Warning),
            new(AlertRuleType.DeadLetters, null, 20, TimeSpan.Zero, TimeSpan.FromHours(1), AlertSeverity.Warning),
        ]);
        policy.Webhooks.Select(w => (w.Authority, w.Format, w.Secret, w.MinimumSeverity)).ShouldBe(
        [
            ("https://hooks.slack.com", AlertWebhookFormat.Slack, null, AlertSeverity.Warning),
            ("https://pager.example.com", AlertWebhookFormat.Json, "whsec_ZnJvbS1hLXZhdWx0LW5vdC1mcm9tLWhlcmU=", AlertSeverity.Critical),
        ]);
        await host.StopAsync(TestContext.Current.CancellationToken);
        string source = Repository.Read("tests/HttpResilience.Tests/Operations/Alerts/ReadmeExampleTests.cs").ReplaceLineEndings("\n");
        string body =
            source[(source.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length)..source.IndexOf(End, StringComparison.Ordinal)];
        body.Replace("        ", "", StringComparison.Ordinal).ShouldBe(Section.Split("```csharp\n")[1].Split("```")[0]);
    }

    [Fact]
    public void The_table_names_every_rule() =>
        Enum.GetNames<AlertRuleType>().ShouldAllBe(n => Section.Contains($"`{n}`", StringComparison.Ordinal));

    private sealed class PagerSink : IAlertSink
    {
        public Task SendAsync(Alert alert, CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
