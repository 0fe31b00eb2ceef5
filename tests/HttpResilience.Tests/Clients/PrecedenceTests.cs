using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Tests.Clients;

/// <summary>Code over the client's section over the defaults over what is built in.</summary>
public sealed class PrecedenceTests
{
    [Theory]
    [InlineData(null, null, null, 3)]
    [InlineData("5", null, null, 5)]
    [InlineData("5", "6", null, 6)]
    [InlineData("5", "6", 7, 7)]
    [InlineData(null, "6", null, 6)]
    [InlineData(null, null, 7, 7)]
    [InlineData("5", null, 7, 7)]
    public void The_nearest_word_holds(string? defaults, string? client, int? code, int expected)
    {
        var settings = new Dictionary<string, string?>();
        if (defaults is not null)
            settings["HttpResilience:Defaults:Retry:MaxRetryAttempts"] = defaults;
        if (client is not null)
            settings["HttpResilience:Clients:invoices:Retry:MaxRetryAttempts"] = client;

        using var provider = Provider(settings, code is { } count ? o => o.Retry.MaxRetryAttempts = count : null);

        PolicyOf(provider).Retry.MaxRetryAttempts.ShouldBe(expected);
    }

    [Fact]
    public void Each_key_is_looked_up_by_itself()
    {
        using var provider = Provider(
            new()
            {
                ["HttpResilience:Defaults:Retry:MaxRetryAttempts"] = "5",
                ["HttpResilience:Defaults:Retry:Statuses:503:DelayMultiplier"] = "2",
                ["HttpResilience:Clients:invoices:Retry:BackoffFactor"] = "3",
                ["HttpResilience:Clients:invoices:Retry:Statuses:503:MaxRetryAttempts"] = "1",
                ["httpresilience:clients:INVOICES:attempttimeout:timeout"] = "00:00:07",
            },
            o => o.Retry.MaxRetryAfter = TimeSpan.FromSeconds(9));

        var policy = PolicyOf(provider);
        (policy.Retry.MaxRetryAttempts, policy.Retry.Backoff.Factor, policy.Retry.MaxRetryAfter.TotalSeconds).ShouldBe((5, 3, 9));
        policy.AttemptTimeout.ShouldBe(TimeSpan.FromSeconds(7));
        policy.Retry.Statuses[503].MaxRetryAttempts.ShouldBe(1);
        policy.Retry.Statuses[503].Backoff.Delay.ShouldBe(TimeSpan.FromSeconds(2));
    }

    [Fact]
    public void A_list_is_replaced_as_a_whole()
    {
        using var provider = Provider(new()
        {
            ["HttpResilience:Defaults:Idempotency:Methods:0"] = "PUT",
            ["HttpResilience:Defaults:Idempotency:Methods:1"] = "DELETE",
            ["HttpResilience:Clients:invoices:Idempotency:Methods:0"] = "POST",
        });

        PolicyOf(provider).Idempotency!.Methods.ShouldBe(["POST"]);
    }

    [Fact]
    public void Null_switches_off_what_the_defaults_switch_on()
    {
        using var provider = Provider(new()
        {
            ["HttpResilience:Defaults:AttemptTimeout:Timeout"] = "00:00:07",
            ["HttpResilience:Clients:invoices:AttemptTimeout:Timeout"] = null,
            ["HttpResilience:Clients:invoices:CircuitBreaker:BreakDuration"] = "",
        });

        PolicyOf(provider).AttemptTimeout.ShouldBeNull();
        PolicyOf(provider).CircuitBreaker.ShouldBeNull();
    }

    [Fact]
    public void One_client_does_not_read_the_section_of_another()
    {
        using var provider = Provider(new() { ["HttpResilience:Clients:payments:Retry:MaxRetryAttempts"] = "9" });

        PolicyOf(provider).Retry.MaxRetryAttempts.ShouldBe(3);
    }

    [Fact]
    public void Code_for_all_clients_beats_the_configuration_and_code_for_one_beats_that()
    {
        var services = Services(new() { ["HttpResilience:Clients:invoices:Retry:MaxRetryAttempts"] = "5" });
        services.ConfigureHttpClientDefaults(
            defaults => defaults.AddResilience(o => (o.Retry.MaxRetryAttempts, o.Retry.BackoffFactor) = (6, 3)));
        services.AddResilientHttpClient("invoices", o => o.Retry.MaxRetryAttempts = 7);
        services.AddHttpClient("other");
        using var provider = services.BuildServiceProvider();

        (PolicyOf(provider).Retry.MaxRetryAttempts, PolicyOf(provider).Retry.Backoff.Factor).ShouldBe((7, 3));
        provider.GetRequiredKeyedService<Client>("other").Policy.Retry.MaxRetryAttempts.ShouldBe(6);
    }

    [Theory, InlineData("first"), InlineData("last"), InlineData("between"), InlineData("after options of its own")]
    public void Code_for_one_client_beats_code_for_all_whatever_the_order(string defaults)
    {
        var services = Services(new() { ["HttpResilience:Clients:invoices:Retry:MaxRetryAttempts"] = "5" });
        void AddDefaults(int attempts) => services.ConfigureHttpClientDefaults(
            all => all.AddResilience(o => (o.Retry.MaxRetryAttempts, o.Retry.BackoffFactor) = (attempts, attempts)));
        if (defaults is "first")
            AddDefaults(6);
        if (defaults is "after options of its own")
            services.AddOptions<HttpResilienceOptions>("invoices").Configure<TimeProvider>((o, _) => o.Retry.MaxRetryAfter = TimeSpan.Zero);
        services.AddResilientHttpClient("invoices", o => o.Retry.MaxRetryAttempts = 7);
        if (defaults is not "first")
            AddDefaults(4);
        services.AddResilientHttpClient("payments").AddResilience(o => o.Retry.MaxRetryAttempts = 8);
        if (defaults is not "first")
            AddDefaults(6);
        using var provider = services.BuildServiceProvider();

        (PolicyOf(provider).Retry.MaxRetryAttempts, PolicyOf(provider).Retry.Backoff.Factor).ShouldBe((7, 6));
        provider.GetRequiredKeyedService<Client>("payments").Policy.Retry.MaxRetryAttempts.ShouldBe(8);
        provider.GetRequiredKeyedService<Client>("other").Policy.Retry.MaxRetryAttempts.ShouldBe(6);
    }

    [Fact]
    public void Without_a_configuration_the_built_in_defaults_hold()
    {
        using var provider = new ServiceCollection().AddResilientHttpClient("invoices").Services.BuildServiceProvider();

        provider.GetService<IConfiguration>().ShouldBeNull();
        PolicyOf(provider).Retry.MaxRetryAttempts.ShouldBe(3);
        using var client = provider.GetRequiredService<IHttpClientFactory>().CreateClient("invoices");
        client.Timeout.ShouldBe(TimeSpan.FromSeconds(101));
    }

    [Fact]
    public void The_built_in_defaults_are_the_documented_ones()
    {
        var o = new HttpResilienceOptions();

        o.BaseAddress.ShouldBeNull();
        o.TotalRequestTimeout.Timeout.ShouldBe(TimeSpan.FromSeconds(100));
        o.AttemptTimeout.Timeout.ShouldBe(TimeSpan.FromSeconds(30));
        (o.Retry.MaxRetryAttempts, o.Retry.BackoffType, o.Retry.Delay, o.Retry.MaxDelay, o.Retry.BackoffFactor)
            .ShouldBe((3, BackoffType.Exponential, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60), 2));
        (o.Retry.UseJitter, o.Retry.Jitter.Mode, o.Retry.Jitter.Factor, o.Retry.Jitter.Maximum).ShouldBe(
            (true, null, 0.25, TimeSpan.FromMilliseconds(199)));
        (o.Retry.ShouldRetryAfterHeader, o.Retry.MaxRetryAfter, o.Retry.UnsafeMethods).ShouldBe(
            (true, TimeSpan.FromMinutes(5), UnsafeMethods.WhenKeyed));
        (o.Retry.MaxReplayBodyBytes, o.Retry.IncludeResponseBody).ShouldBe((1_048_576, false));
        (o.Retry.Budget.RetryRatio, o.Retry.Budget.SamplingDuration, o.Retry.Budget.MinimumThroughput).ShouldBe(
            (0.2, TimeSpan.FromSeconds(10), 10));
        o.Retry.Statuses.ShouldBeEmpty();
        var circuit = o.CircuitBreaker;
        (circuit.FailureThreshold, circuit.FailureDuration).ShouldBe((5, TimeSpan.FromSeconds(1)));
        (circuit.FailureRatio, circuit.MinimumThroughput, circuit.SamplingDuration).ShouldBe((0.9, 100, TimeSpan.FromSeconds(30)));
        (circuit.BreakDuration, circuit.MaxBreakDuration).ShouldBe((TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10)));
        (circuit.MaxWait, circuit.MaxWaiting, circuit.Mode).ShouldBe((TimeSpan.FromSeconds(5), 100, CircuitMode.Enforce));
        (circuit.HalfOpenProbes, circuit.SuccessThreshold, circuit.MaxCircuits).ShouldBe((1, 1, 10_000));
        (circuit.SlowCallDuration, circuit.SlowCallRatio, circuit.Isolation).ShouldBe((null, 1.0, CircuitIsolation.AuthorityAndTenant));
        o.RateLimiter.ShouldBeNull();
        (o.Idempotency.KeySource, o.Idempotency.KeyLifetime).ShouldBe((KeySource.Random, TimeSpan.FromDays(1)));
        (o.Idempotency.Enabled, o.Idempotency.HeaderName, o.Idempotency.Quoted).ShouldBe((true, "Idempotency-Key", false));
        o.Idempotency.Methods.ShouldBe(["POST", "PATCH"]);
        (o.Logging.Level, o.Logging.RetryLevel, o.Logging.KeepFactoryLogging, o.Logging.ErrorBodyBytes)
            .ShouldBe((LogLevel.Information, LogLevel.Debug, false, 2048));
        o.Logging.RedactedHeaders.ShouldBeEmpty();
        o.Logging.AllowedQueryParameters.ShouldBeEmpty();
    }

    private static ServiceCollection Services(Dictionary<string, string?> settings)
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(settings).Build());
        return services;
    }

    private static ServiceProvider Provider(Dictionary<string, string?> settings, Action<HttpResilienceOptions>? configure = null) =>
        Services(settings).AddResilientHttpClient("invoices", configure).Services.BuildServiceProvider();

    private static ResiliencePolicy PolicyOf(IServiceProvider provider) => provider.GetRequiredKeyedService<Client>("invoices").Policy;
}
