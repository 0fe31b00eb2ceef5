using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HttpResilience.Tests.Chaos;

public sealed class ChaosStartTests
{
    private const string Client = "HttpResilience:Clients:api:Chaos";

    [Fact]
    public async Task In_production_once_is_not_enough()
    {
        using var host = Build("Production", new() { [$"{Client}:Enabled"] = "true" }, out _);

        var thrown = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(TestContext.Current.CancellationToken));

        thrown.Failures.ShouldHaveSingleItem().ShouldBe(
            "HttpResilience:Clients:api:Chaos:Enabled is 'True' in the Production environment, where it would hit real calls; "
            + "set it to false, or, when that is what you want, HttpResilience:Clients:api:Chaos:AllowInProduction to true as well.");
    }

    [Fact]
    public async Task The_error_names_the_key_where_it_stands()
    {
        using var host = Build("Production", new() { ["HttpResilience:Defaults:Chaos:Enabled"] = "true" }, out _);

        var thrown = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(TestContext.Current.CancellationToken));

        thrown.Failures.ShouldHaveSingleItem().ShouldStartWith("HttpResilience:Defaults:Chaos:Enabled is");
    }

    [Theory]
    [InlineData("Production", "true", "true", true)]
    [InlineData("Production", "false", "true", false)]
    [InlineData("Production", "false", "false", false)]
    [InlineData("Staging", "true", "false", true)]
    [InlineData("Development", "true", "false", true)]
    public async Task Outside_production_or_when_confirmed_twice_the_host_starts_with_one_warning(
        string environment, string enabled, string allowed, bool isOn)
    {
        using var host = Build(
            environment, new() { [$"{Client}:Enabled"] = enabled, [$"{Client}:AllowInProduction"] = allowed }, out var logs);

        await host.StartAsync(TestContext.Current.CancellationToken);
        _ = host.Services.GetRequiredService<IHttpClientFactory>().CreateClient("api");

        var warnings = logs.Entries.Where(e => e.Level >= LogLevel.Warning).ToList();
        warnings.Count.ShouldBe(isOn ? 1 : 0);
        if (isOn)
            warnings[0].Message.ShouldBe(
                "api: chaos is on, 5% of the attempts are held up for 00:00:05, 5% fail, 5% get a 503 (Chaos:Enabled)");
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public void A_container_without_a_host_is_not_taken_for_production()
    {
        using var chain = new Chain(settings: new Dictionary<string, string?> { ["Chaos:Enabled"] = "true" });

        chain.State.Policy.Chaos.ShouldNotBeNull();
    }

    [Theory, InlineData(true), InlineData(false)]
    public void The_stage_is_the_innermost_of_the_chain_or_not_there(bool enabled)
    {
        using var chain = new Chain(o =>
        {
            o.RateLimiter = new() { DefaultRateLimiterOptions = new() };
            o.Chaos.Enabled = enabled;
        });

        var handlers = Chain.BuildHandlers(chain.Services).AdditionalHandlers.Select(h => h.GetType()).ToList();

        handlers[^1].ShouldBe(enabled ? typeof(ChaosHandler) : typeof(RateLimitingHandler));
    }

    [Fact]
    public async Task A_reload_cannot_smuggle_it_into_production()
    {
        using var host = Build("Production", [], out var logs);
        await host.StartAsync(TestContext.Current.CancellationToken);
        var state = host.Services.GetRequiredKeyedService<Client>("api");
        var configuration = (IConfigurationRoot)host.Services.GetRequiredService<IConfiguration>();

        configuration[$"{Client}:Enabled"] = "true";
        configuration.Reload();

        state.Policy.Chaos.ShouldBeNull();
        logs.WithId(403).ShouldHaveSingleItem().Level.ShouldBe(LogLevel.Error);

        configuration[$"{Client}:AllowInProduction"] = "true";
        configuration.Reload();

        state.Policy.Chaos.ShouldNotBeNull();
        logs.WithId(406).ShouldHaveSingleItem().Level.ShouldBe(LogLevel.Warning);
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData("InjectionRate", "1.5", "a number from 0 to 1")]
    [InlineData("Latency:InjectionRate", "-0.1", "a number from 0 to 1, or null")]
    [InlineData("Fault:InjectionRate", "all", "a number from 0 to 1, or null")]
    [InlineData("Status:StatusCode", "200", "an integer from 400 to 599")]
    [InlineData("Latency:Duration", "-00:00:01", "a duration")]
    [InlineData("Seed", "x", "an integer")]
    public async Task A_wrong_value_keeps_the_host_from_starting(string key, string value, string expected)
    {
        using var host = Build("Staging", new() { [$"{Client}:{key}"] = value }, out _);

        var thrown = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(TestContext.Current.CancellationToken));

        thrown.Failures.ShouldHaveSingleItem().ShouldStartWith($"{Client}:{key} is '{value}'; it must be {expected}");
    }

    private static IHost Build(string environment, Dictionary<string, string?> settings, out LogCollector logs)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new() { EnvironmentName = environment });
        builder.Configuration.AddInMemoryCollection(settings);
        var collector = logs = new LogCollector();
        builder.Logging.AddProvider(collector);
        builder.Services.AddResilientHttpClient("api");
        return builder.Build();
    }
}
