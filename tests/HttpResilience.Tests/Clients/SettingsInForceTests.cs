using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HttpResilience.Tests.Clients;

/// <summary>The settings of a client that are in force, as code, operators and the log see them.</summary>
public sealed class SettingsInForceTests
{
    private const string Default =
        "keys POST PATCH · retry 3 exponential 1 s · circuit 5 in a row over 1 s or 90 % of 100, break 1–10 s, waits 5 s · "
        + "attempt 30 s · total 100 s";

    [Fact]
    public void A_reload_changes_the_monitor_and_notifies_its_listeners()
    {
        using var chain = new Chain();
        var monitor = chain.Services.GetRequiredService<IOptionsMonitor<HttpResilienceOptions>>();
        monitor.Get(Chain.Name).Retry.MaxRetryAttempts.ShouldBe(3);
        List<(string?, int)> changes = [];
        using var subscription = monitor.OnChange((options, name) => changes.Add((name, options.Retry.MaxRetryAttempts)));

        chain.Reload(("Retry:MaxRetryAttempts", "5"));

        monitor.Get(Chain.Name).Retry.MaxRetryAttempts.ShouldBe(5);
        changes.ShouldBe([(Chain.Name, 5)]);
    }

    [Fact]
    public void A_rejected_reload_leaves_the_monitor_as_it_is()
    {
        using var chain = new Chain(settings: new Dictionary<string, string?> { ["Retry:MaxRetryAttempts"] = "1" });
        var monitor = chain.Services.GetRequiredService<IOptionsMonitor<HttpResilienceOptions>>();
        var before = monitor.Get(Chain.Name);
        int changes = 0;
        using var subscription = monitor.OnChange((_, _) => changes++);

        chain.Reload(("Retry:MaxRetryAttempts", "many"));

        monitor.Get(Chain.Name).ShouldBeSameAs(before);
        (monitor.Get(Chain.Name).Retry.MaxRetryAttempts, changes).ShouldBe((1, 0));
        chain.Reload(("Retry:MaxRetryAttempts", "2"));
        (monitor.Get(Chain.Name).Retry.MaxRetryAttempts, changes).ShouldBe((2, 1));
    }

    [Fact]
    public void A_listener_that_has_ended_its_subscription_hears_nothing()
    {
        using var chain = new Chain();
        _ = chain.State;
        int changes = 0;
        chain.Services.GetRequiredService<IOptionsMonitor<HttpResilienceOptions>>().OnChange((_, _) => changes++)!.Dispose();

        chain.Reload(("Retry:MaxRetryAttempts", "5"));

        changes.ShouldBe(0);
    }

    [Fact]
    public void A_listener_that_throws_does_not_reject_the_reload_nor_keep_it_from_other_listeners()
    {
        using var chain = new Chain();
        _ = chain.State;
        var monitor = chain.Services.GetRequiredService<IOptionsMonitor<HttpResilienceOptions>>();
        int changes = 0;
        using var first = monitor.OnChange((_, _) => throw new InvalidOperationException("a mistake of the application"));
        using var second = monitor.OnChange((_, _) => changes++);

        chain.Reload(("Retry:MaxRetryAttempts", "5"));

        changes.ShouldBe(1);
        chain.State.Policy.Retry.MaxRetryAttempts.ShouldBe(5);
        chain.Logs.WithId(403).ShouldBeEmpty();
        chain.Logs.WithId(418).ShouldHaveSingleItem().Exception!.Message.ShouldBe("a mistake of the application");
    }

    [Fact]
    public void The_monitor_has_code_too_and_knows_clients_that_have_the_chain_by_default()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection().Build();
        var services = new ServiceCollection().AddSingleton<IConfiguration>(configuration).AddLogging();
        services.ConfigureHttpClientDefaults(defaults => defaults.AddResilience(o => o.Retry.MaxRetryAttempts = 7));
        using var provider = services.BuildServiceProvider();
        var monitor = provider.GetRequiredService<IOptionsMonitor<HttpResilienceOptions>>();
        provider.GetRequiredService<IHttpClientFactory>().CreateClient("any").Dispose();
        List<string?> changes = [];
        using var subscription = monitor.OnChange((_, name) => changes.Add(name));

        configuration["HttpResilience:Clients:any:Retry:BackoffFactor"] = "3";
        configuration.Reload();

        (monitor.Get("any").Retry.MaxRetryAttempts, monitor.Get("any").Retry.BackoffFactor).ShouldBe((7, 3));
        changes.ShouldBe(["any"]);
        monitor.Get("not used yet").Retry.MaxRetryAttempts.ShouldBe(7);
    }

    [Fact]
    public void One_line_at_start_and_one_after_each_reload_tells_the_chain()
    {
        using var chain = new Chain();
        _ = chain.State;
        chain.Logs.WithId(415).ShouldHaveSingleItem().Level.ShouldBe(LogLevel.Information);
        chain.Logs.WithId(415)[0].Message.ShouldBe($"api: {Default}");

        chain.Reload(("Retry:MaxRetryAttempts", "1"), ("Idempotency", null));
        chain.Reload(("Retry:MaxRetryAttempts", "many"));

        chain.Logs.WithId(415).Select(e => e.Message).ShouldBe(
            [$"api: {Default}", $"api: {Default.Replace("retry 3", "retry 1").Replace("keys POST PATCH", "no keys")}"]);
        chain.Services.GetRequiredService<IResilientClients>().List().ShouldHaveSingleItem().Chain
            .ShouldBe(Default.Replace("retry 3", "retry 1").Replace("keys POST PATCH", "no keys"));
    }

    [Fact]
    public void A_questionable_setting_is_one_warning_until_it_is_corrected()
    {
        using var chain = new Chain(settings: new Dictionary<string, string?> { ["Hedging:Delay"] = "00:00:01" });
        _ = chain.State;

        chain.Reload(("Retry:MaxRetryAttempts", "1"));
        var warning = chain.Logs.WithId(416).ShouldHaveSingleItem();
        (warning.Level, warning.Message).ShouldBe((LogLevel.Warning,
            "api: HttpResilience:Clients:api:Hedging:Delay (00:00:01): no effect while "
            + "HttpResilience:Clients:api:Hedging:Enabled is 'False'"));

        chain.Reload(("Hedging:Enabled", "true"));
        chain.Reload(("Hedging:Enabled", "false"));
        chain.Logs.WithId(416).Count.ShouldBe(2);
    }

    [Fact]
    public void Code_makes_a_setting_dead_as_the_configuration_does()
    {
        using var chain = new Chain(o => (o.Retry.UseJitter, o.Retry.Jitter.Mode) = (false, JitterMode.Full));
        _ = chain.State;

        chain.Logs.WithId(416).ShouldHaveSingleItem().Message.ShouldContain("Retry:Jitter:Mode (Full): no effect while ");
    }

    [Fact]
    public void Without_a_configuration_the_built_in_defaults_are_not_questionable()
    {
        using var logs = new LogCollector();
        using var provider = new ServiceCollection().AddLogging(l => l.AddProvider(logs)).AddResilientHttpClient("api").Services
            .BuildServiceProvider();

        provider.GetRequiredKeyedService<Client>("api").Chain.ShouldBe(Default);
        logs.WithId(416).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(5, 30, true)]
    [InlineData(5, 5, false)]
    [InlineData(5, null, false)]
    [InlineData(null, 30, false)]
    public void Both_timeouts_of_one_delegate_must_fit(int? total, int? attempt, bool isRefused)
    {
        using var chain = new Chain(o =>
            (o.TotalRequestTimeout.Timeout, o.AttemptTimeout.Timeout) = (Seconds(total), Seconds(attempt)));

        if (isRefused)
        {
            Should.Throw<OptionsValidationException>(() => chain.State).Message.ShouldBe(
                "HttpResilience:Clients:api:AttemptTimeout:Timeout is '00:00:30'; it must not be longer than "
                + "HttpResilience:Clients:api:TotalRequestTimeout:Timeout, which is '00:00:05'. "
                + "Leave it out to have attempts end with the total.");
        }
        else
        {
            chain.State.Policy.LongestAttempt.ShouldBe(Seconds(total is null ? attempt : total));
        }
    }

    [Fact]
    public void A_delegate_that_sets_the_total_alone_cuts_the_attempt_in_silence()
    {
        using var chain = new Chain(
            o => o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(5),
            settings: new Dictionary<string, string?> { ["AttemptTimeout:Timeout"] = "00:00:30" });

        chain.State.Chain.ShouldEndWith("attempt 5 s · total 5 s");
        chain.Logs.Entries.ShouldAllBe(e => e.Level < LogLevel.Warning);
    }

    [Fact]
    public async Task A_call_with_a_longer_timeout_of_its_own_has_attempts_as_long_as_they_are_set()
    {
        using var chain = new Chain(settings: new Dictionary<string, string?>
        {
            ["TotalRequestTimeout:Timeout"] = "00:00:05",
            ["MaxTimeout"] = "00:02:00",
            ["Retry:MaxRetryAttempts"] = "0",
        });
        chain.Server.Script(Replies.Stalls());

        var thrown = await Assert.ThrowsAnyAsync<TaskCanceledException>(
            () => chain.SendAsync(true, Chain.Get().WithTimeout(TimeSpan.FromMinutes(1))));

        thrown.GetHttpCall()!.Elapsed.ShouldBe(TimeSpan.FromSeconds(30));
        chain.State.Chain.ShouldEndWith("attempt 30 s · total 5 s");
    }

    private static TimeSpan? Seconds(int? seconds) => seconds is { } s ? TimeSpan.FromSeconds(s) : null;
}
