using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HttpResilience.Tests.Operations.Alerts;

/// <summary>The section <c>HttpResilience:Alerts</c> at the start of the host and at a reload.</summary>
public sealed class AlertOptionsTests
{
    private const string Alerts = "HttpResilience:Alerts";

    [Fact]
    public async Task All_problems_are_reported_at_once_without_any_address()
    {
        var problems = await ProblemsAsync(
            ($"{Alerts}:Enabled", "maybe"),
            ($"{Alerts}:Webhook:0:Url", "https://hooks.test/T0K3N"),
            ($"{Alerts}:Webhooks:0:Url", "ftp://hooks.test/T0K3N"),
            ($"{Alerts}:Webhooks:1:Url", "hooks.test T0K3N"),
            ($"{Alerts}:Webhooks:1:Format", "Discord"),
            ($"{Alerts}:Webhooks:2:Secrets", "x"),
            ($"{Alerts}:Rules:0:Type", "Consecutive"),
            ($"{Alerts}:Rules:1:Treshold", "5"),
            ($"{Alerts}:Rules:2:Type", "ConsecutiveFailures"),
            ($"{Alerts}:Rules:2:Threshold", "2.5"),
            ($"{Alerts}:Rules:2:Window", "00:05:00"),
            ($"{Alerts}:Rules:3:Type", "CircuitOpened"),
            ($"{Alerts}:Rules:3:Threshold", "1"),
            ($"{Alerts}:Rules:3:CoolDown", "00:00:00"),
            ($"{Alerts}:Rules:4:Type", "FailuresInWindow"),
            ($"{Alerts}:Rules:4:Threshold", "1001"));

        const string Types = "ConsecutiveFailures, FailuresInWindow, TenantFailing, ErrorClassSinceDeployment, DeadLetters, "
            + "DeadLettersGrowing, ReplayLag, BatchStalled, ErrorBudgetBurn, "
            + "ErrorBudgetSpent, IntegrationPaused, CircuitOpened, StorageFailing";
        const string Uri = "it must be an absolute http or https URI (its value is a secret and not shown).";
        problems.ShouldBe(
        [
            $"{Alerts}:Enabled is 'maybe'; it must be true or false.",
            $"{Alerts}:Webhook is not a known key; did you mean {Alerts}:Webhooks?",
            $"{Alerts}:Webhooks:0:Url is of another kind; {Uri}",
            $"{Alerts}:Webhooks:1:Url is not a URI; {Uri}",
            $"{Alerts}:Webhooks:1:Format is 'Discord'; it must be one of Slack, Json, Teams.",
            $"{Alerts}:Webhooks:2:Secrets is not a known key; did you mean {Alerts}:Webhooks:2:Secret?",
            $"{Alerts}:Webhooks:2:Url is missing; {Uri}",
            $"{Alerts}:Rules:0:Type is 'Consecutive'; it must be one of {Types}.",
            $"{Alerts}:Rules:1:Treshold is not a known key; did you mean {Alerts}:Rules:1:Threshold?",
            $"{Alerts}:Rules:1:Type is null; it must be one of {Types}.",
            $"{Alerts}:Rules:2:Threshold is '2.5'; for ConsecutiveFailures it must be an integer from 1 to 1000000, or null.",
            $"{Alerts}:Rules:2:Window is '00:05:00'; ConsecutiveFailures has no window, it must be null.",
            $"{Alerts}:Rules:3:Threshold is '1'; for CircuitOpened it must be null.",
            $"{Alerts}:Rules:3:CoolDown is '00:00:00'; it must be a duration (d.hh:mm:ss.fff) "
                + "from 00:00:01 to 30.00:00:00, or null to switch it off.",
            $"{Alerts}:Rules:4:Threshold is '1001'; for FailuresInWindow it must be an integer from 1 to 1000, or null.",
        ], ignoreOrder: true);
    }

    [Fact]
    public void The_default_rules_are_one_of_every_type_with_its_own_defaults()
    {
        var hour = TimeSpan.FromHours(1);
        new AlertPolicy(new()).Rules.ShouldBe(
        [
            new(AlertRuleType.ConsecutiveFailures, null, 5, TimeSpan.Zero, hour, AlertSeverity.Warning),
            new(AlertRuleType.FailuresInWindow, null, 5, TimeSpan.FromMinutes(5), hour, AlertSeverity.Warning),
            new(AlertRuleType.TenantFailing, null, 5, TimeSpan.FromMinutes(5), hour, AlertSeverity.Warning),
            new(AlertRuleType.ErrorClassSinceDeployment, null, 3, TimeSpan.Zero, hour, AlertSeverity.Warning),
            new(AlertRuleType.DeadLetters, null, 100, TimeSpan.Zero, hour, AlertSeverity.Warning),
            new(AlertRuleType.DeadLettersGrowing, null, 20, hour, hour, AlertSeverity.Warning),
            new(AlertRuleType.ReplayLag, null, 2, TimeSpan.FromDays(1), hour, AlertSeverity.Warning),
            new(AlertRuleType.BatchStalled, null, 2, TimeSpan.Zero, hour, AlertSeverity.Warning),
            new(AlertRuleType.ErrorBudgetBurn, null, 14.4, hour, hour, AlertSeverity.Critical),
            new(AlertRuleType.ErrorBudgetBurn, null, 6, 6 * hour, hour, AlertSeverity.Critical),
            new(AlertRuleType.ErrorBudgetBurn, null, 1, TimeSpan.FromDays(3), 6 * hour, AlertSeverity.Warning),
            new(AlertRuleType.ErrorBudgetSpent, null, 2, TimeSpan.Zero, TimeSpan.FromDays(1), AlertSeverity.Warning),
            new(AlertRuleType.IntegrationPaused, null, 0, TimeSpan.Zero, hour, AlertSeverity.Critical),
            new(AlertRuleType.CircuitOpened, null, 0, TimeSpan.Zero, hour, AlertSeverity.Warning),
            new(AlertRuleType.StorageFailing, null, 0, TimeSpan.Zero, hour, AlertSeverity.Critical),
        ], ignoreOrder: true);
    }

    [Fact]
    public void Configured_rules_replace_the_defaults_and_inherit_missing_values_from_their_type()
    {
        using var chain = new Chain(services: s => s.AddHttpResilienceOperations());
        chain.Configuration[$"{Alerts}:Rules:0:Type"] = "FailuresInWindow";
        chain.Configuration[$"{Alerts}:Rules:0:Client"] = "api";
        chain.Configuration[$"{Alerts}:Rules:0:Threshold"] = "7";
        chain.Configuration[$"{Alerts}:Rules:1:Type"] = "erroRbudgetburn";
        chain.Configuration[$"{Alerts}:Rules:1:Threshold"] = "3";

        chain.Services.GetRequiredService<AlertSettings>().Policy.Rules.ShouldBe(
        [
            new(AlertRuleType.FailuresInWindow, "api", 7, TimeSpan.FromMinutes(5), TimeSpan.FromHours(1), AlertSeverity.Warning),
            new(AlertRuleType.ErrorBudgetBurn, null, 3, TimeSpan.FromHours(1), TimeSpan.FromHours(1), AlertSeverity.Critical),
        ]);
    }

    [Fact]
    public void Defaults_for_all_clients_neither_pause_the_alert_client_nor_log_its_address()
    {
        using var chain = new Chain(services: s => s.AddHttpResilienceOperations());
        chain.Configuration["HttpResilience:Defaults:ErrorBudget:PauseAtBurn"] = "2";
        chain.Configuration["HttpResilience:Defaults:Logging:KeepFactoryLogging"] = "true";

        var options = chain.Services.GetRequiredService<IOptionsFactory<HttpResilienceOptions>>().Create(AlertClient.Name);

        (options.ErrorBudget.PauseAtBurn, options.Logging.KeepFactoryLogging).ShouldBe((null, false));
    }

    [Fact]
    public void Configuration_by_code_registered_before_the_client_takes_precedence()
    {
        var services = new ServiceCollection();
        services.AddLogging().AddSingleton<IConfiguration>(new ConfigurationBuilder()
            .AddInMemoryCollection([new($"{Alerts}:DeploymentVersion", "1")]).Build());
        services.Configure<AlertOptions>(o => o.DeploymentVersion += "+code");
        services.AddResilientHttpClient("api");
        services.AddHttpResilienceOperations();
        using var provider = services.BuildServiceProvider();

        provider.GetRequiredService<AlertSettings>().Policy.DeploymentVersion.ShouldBe("1+code");
    }

    [Fact]
    public void An_invalid_reload_keeps_the_previous_options_and_logs_the_reason()
    {
        using var chain = new Chain(services: s => s.AddHttpResilienceOperations());
        var settings = chain.Services.GetRequiredService<AlertSettings>();
        var before = settings.Policy;

        chain.Configuration[$"{Alerts}:Rules:0:Type"] = "Nonsense";
        chain.Configuration.Reload();
        settings.Policy.ShouldBeSameAs(before);
        var error = chain.Logs.WithId(706).ShouldHaveSingleItem();
        (error.Level, error.Message.Contains($"{Alerts}:Rules:0:Type is 'Nonsense'", StringComparison.Ordinal))
            .ShouldBe((LogLevel.Error, true));

        chain.Configuration[$"{Alerts}:Rules:0:Type"] = "DeadLetters";
        chain.Configuration.Reload();
        settings.Policy.Rules.ShouldHaveSingleItem().Type.ShouldBe(AlertRuleType.DeadLetters);
    }

    [Fact]
    public async Task A_host_without_webhooks_logs_nothing_about_the_webhook_client()
    {
        using var logs = new LogCollector();
        using var host = Host(logs, []);
        await host.StartAsync(TestContext.Current.CancellationToken);
        await host.StopAsync(TestContext.Current.CancellationToken);

        logs.Entries.ShouldNotContain(e => e.Level >= LogLevel.Information
            && e.Everything.Contains(AlertClient.Name, StringComparison.Ordinal));
        logs.WithId(401).Count(e => e.Level is LogLevel.Information).ShouldBe(1);
    }

    [Theory, InlineData("api"), InlineData("API"), InlineData("Api")]
    public async Task A_rule_finds_its_client_in_any_case(string name)
    {
        using var logs = new LogCollector();
        using var host = Host(logs, [($"{Alerts}:Rules:0:Type", "consecutivefailures"), ($"{Alerts}:rules:0:CLIENT", name)]);
        await host.StartAsync(TestContext.Current.CancellationToken);
        await host.StopAsync(TestContext.Current.CancellationToken);

        logs.WithId(405).ShouldBeEmpty();
        var rule = host.Services.GetRequiredService<AlertSettings>().Policy.Rules.ShouldHaveSingleItem();
        (rule.AppliesTo("api"), rule.AppliesTo("API"), rule.AppliesTo("apı"), rule.AppliesTo("apis")).ShouldBe((true, true, false, false));
    }

    [Theory]
    [InlineData("Secret", "whsec_c2hvcnQ=", "Secret begins with whsec_ and must then be the Base64 of 24 to 64 bytes")]
    [InlineData("PreviousSecret", "whsec_T0K3N!", "PreviousSecret begins with whsec_ and must then be the Base64 of 24 to 64 bytes")]
    [InlineData("PreviousSecret", "T0K3N-before", "PreviousSecret is set without Secret; it must be null.")]
    public async Task A_secret_that_cannot_sign_stops_the_start_and_is_not_shown(string key, string value, string words)
    {
        var problems = await ProblemsAsync(($"{Alerts}:Webhooks:0:Url", "https://hooks.test/"), ($"{Alerts}:Webhooks:0:{key}", value));

        problems.ShouldContain(p => p.Contains(words, StringComparison.Ordinal));
        problems.ShouldAllBe(p => !p.Contains(value, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_rule_for_an_unknown_client_is_a_warning()
    {
        using var logs = new LogCollector();
        using var host = Host(logs, [($"{Alerts}:Rules:0:Type", "DeadLetters"), ($"{Alerts}:Rules:0:Client", "apy"),
            ($"{Alerts}:Rules:1:Type", "DeadLetters"), ($"{Alerts}:Rules:1:Client", "api")]);
        await host.StartAsync(TestContext.Current.CancellationToken);
        await host.StopAsync(TestContext.Current.CancellationToken);

        var warning = logs.WithId(405).ShouldHaveSingleItem();
        (warning.Level, warning["Section"], warning["Nearest"]).ShouldBe((LogLevel.Warning, $"{Alerts}:Rules, Client 'apy',", "api"));
    }

    [Theory]
    [InlineData("Webhooks", "https://hooks.test/T0K3N", "Webhooks is a text; it must be a list of sections.")]
    [InlineData("Webhooks:0", "https://hooks.test/T0K3N", "Webhooks:0 is a text; it must be a section with keys such as Url.")]
    [InlineData("Webhooks:team:Format", "Slack", "Webhooks is a section; it must be a list of sections.")]
    [InlineData("Rules:0:CoolDown", "24:00:00", "Write '1.00:00:00' for 24 h, or '24.00:00:00' for 24 d.")]
    [InlineData("Rules:0:CoolDown", "30", "Write '00:00:30' for 30 s, or '30.00:00:00' for 30 d.")]
    [InlineData("Rules:0:Cooldwn", "00:30:00", "Rules:0:Cooldwn is not a known key; did you mean HttpResilience:Alerts:Rules:0:CoolDown?")]
    [InlineData("CoolDown", "00:30:00", "did you mean HttpResilience:Alerts:Rules:<index>:CoolDown?")]
    public async Task An_alert_is_read_by_the_rules_of_the_clients_and_no_address_is_shown(string key, string value, string words) =>
        (await ProblemsAsync(($"{Alerts}:{key}", value))).ShouldContain(p => p.Contains(words, StringComparison.Ordinal));

    private static IHost Host(LogCollector logs, (string Key, string? Value)[] settings)
    {
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Configuration.AddInMemoryCollection(settings.Select(s => KeyValuePair.Create(s.Key, s.Value)));
        builder.Logging.SetMinimumLevel(LogLevel.Trace).AddProvider(logs);
        builder.Services.AddResilientHttpClient("api").Services.AddHttpResilienceOperations();
        return builder.Build();
    }

    private static async Task<IReadOnlyList<string>> ProblemsAsync(params (string Key, string? Value)[] settings)
    {
        using var logs = new LogCollector();
        using var host = Host(logs, settings);
        var thrown = await Should.ThrowAsync<OptionsValidationException>(() => host.StartAsync(TestContext.Current.CancellationToken));
        logs.Entries.ShouldNotContain(e => e.Everything.Contains("T0K3N", StringComparison.Ordinal));
        thrown.ToString().ShouldNotContain("T0K3N");
        return [.. thrown.Failures];
    }
}
