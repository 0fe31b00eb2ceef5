using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HttpResilience.Tests.Operations;

/// <summary>A host with and without AddHttpResilienceOperations.</summary>
public sealed class OperationsPackageTests
{
    private const string Needs = $"which needs HttpResilience.Operations; add {HowToAdd}";

    private const string HowToAdd = "package HttpResilience.Operations and builder.Services.AddHttpResilienceOperations();";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("HttpResilience:Alerts:Rules:0:Type", "DeadLetters", "HttpResilience:Alerts is configured")]
    [InlineData("HttpResilience:Alerts:Enabled", "true", "HttpResilience:Alerts is configured")]
    [InlineData("HttpResilience:Clients:api:ErrorBudget:PauseAtBurn", "2", "HttpResilience:Clients:api:ErrorBudget:PauseAtBurn is '2'")]
    [InlineData("HttpResilience:Clients:api:ErrorBudget:Objective", "0.99", "HttpResilience:Clients:api:ErrorBudget:Objective is '0.99'")]
    [InlineData("HttpResilience:Defaults:ErrorBudget:Window", "7.00:00:00", "HttpResilience:Defaults:ErrorBudget:Window is '7.00:00:00'")]
    public async Task Configuration_for_the_package_stops_a_host_without_it(string key, string value, string problem)
    {
        using (var host = Host(isAdded: false, new LogCollector(), (key, value)))
        {
            var thrown = await Should.ThrowAsync<OptionsValidationException>(() => host.StartAsync(Stop));
            thrown.Failures.ShouldBe([$"{problem}, {Needs}"]);
        }

        using var with = Host(isAdded: true, new LogCollector(), (key, value));
        await with.StartAsync(Stop);
        await with.StopAsync(Stop);
    }

    [Theory, InlineData(true), InlineData(false)]
    public void A_client_of_the_application_cannot_have_the_name_of_the_client_of_alerts(bool packageFirst)
    {
        var services = new ServiceCollection();
        if (packageFirst)
            services.AddHttpResilienceOperations();

        Should.Throw<ArgumentException>(() => services.AddResilientHttpClient(AlertClient.Name)).Message
            .ShouldStartWith("Package HttpResilience.Operations sends alerts with a client named 'HttpResilience.Alerts'; give this client "
                + "another name.");
        Should.Throw<ArgumentException>(() => services.AddHttpClient(AlertClient.Name).AddResilience(_ => { }));
        services.AddHttpResilienceOperations();
        Should.Throw<InvalidOperationException>(() => services.AddHttpClient("mine").AddResilience(AlertClient.Name));
    }

    [Fact]
    public async Task A_pause_limit_configured_by_code_stops_a_host_without_the_package()
    {
        using var host = Host(isAdded: false, new LogCollector(),
            s => s.Configure<HttpResilienceOptions>("api", o => o.ErrorBudget.PauseAtBurn = 3));

        var thrown = await Should.ThrowAsync<OptionsValidationException>(() => host.StartAsync(Stop));

        thrown.Failures.ShouldBe([$"HttpResilience:Clients:api:ErrorBudget:PauseAtBurn is '3', {Needs}"]);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_host_without_the_package_logs_once_at_start_that_alerts_are_off(bool isAdded)
    {
        using var logs = new LogCollector();
        using var host = Host(isAdded, logs, ("HttpResilience:Clients:api:ErrorBudget:Objective", "0.999"));
        await host.StartAsync(Stop);
        await host.StopAsync(Stop);

        var said = logs.WithId(412).Select(e => (e.Level, e.Category, e.Message));
        said.ShouldBe(isAdded ? [] :
        [
            (LogLevel.Information, "HttpResilience.ClientStartup",
                $"Alerts and error budgets are off; to switch them on, add {HowToAdd}"),
        ]);
    }

    [Fact]
    public async Task An_observer_of_the_application_does_not_replace_the_package()
    {
        using var host = Host(isAdded: false, new LogCollector(),
            s => s.AddSingleton<CallObserver, Nothing>().Configure<HttpResilienceOptions>("api", o => o.ErrorBudget.PauseAtBurn = 3));

        await Should.ThrowAsync<OptionsValidationException>(() => host.StartAsync(Stop));
    }

    [Fact]
    public void A_host_without_the_package_has_no_observers_and_one_hosted_service()
    {
        var services = new ServiceCollection().AddLogging();
        services.AddResilientHttpClient("api");
        services.Count(d => d.ServiceType == typeof(IHostedService)).ShouldBe(1);
        using var provider = services.BuildServiceProvider();

        provider.GetRequiredKeyedService<Client>("api").Observers.ShouldBeNull();
    }

    [Theory, InlineData(true), InlineData(false)]
    public void The_package_can_be_registered_in_any_order_and_twice(bool isFirst)
    {
        var services = new ServiceCollection().AddLogging();
        if (isFirst)
            services.AddHttpResilienceOperations();
        services.AddResilientHttpClient("api");
        services.AddHttpResilienceOperations().AddHttpResilienceOperations();
        using var provider = services.BuildServiceProvider();

        provider.GetServices<CallObserver>().Count().ShouldBe(2);
        provider.GetServices<IHostedService>().Select(s => s.GetType().Name).ShouldBe(
            [nameof(ClientStartup), nameof(ErrorBudgetKeeper), nameof(UnusedAlertRules), nameof(IncidentSharing), nameof(AlertEvaluator)]);
    }

    [Fact]
    public async Task The_client_of_alerts_logs_at_Debug_at_most_and_has_no_budget()
    {
        using var logs = new LogCollector();
        using var host = Host(isAdded: true, logs);
        await host.StartAsync(Stop);
        var client = host.Services.GetRequiredService<IResilientClients>().Find(AlertClient.Name)!;
        await host.StopAsync(Stop);

        logs.Entries.Where(e => e.Everything.Contains(AlertClient.Name, StringComparison.Ordinal))
            .ShouldAllBe(e => e.Level <= LogLevel.Debug);
        client.Get<ErrorBudget>().ShouldBeNull();
        host.Services.GetRequiredService<IErrorBudgets>().List().Select(b => b.ClientName).ShouldBe(["api"]);
    }

    [Fact]
    public void The_old_name_of_the_health_check_still_adds_it()
    {
        var method = typeof(HttpResilienceOperationsExtensions).GetMethod("AddHttpResilienceHealthChecks")!;
        var services = new ServiceCollection();

        method.Invoke(null, [services]);

        method.IsDefined(typeof(ObsoleteAttribute), inherit: false).ShouldBeTrue();
        services.ShouldContain(d => d.ServiceType == typeof(ResilienceHealthCheck));
    }

    private static IHost Host(bool isAdded, LogCollector logs, params (string Key, string? Value)[] settings) =>
        Host(isAdded, logs, null, settings);

    private static IHost Host(bool isAdded, LogCollector logs, Action<IServiceCollection>? services,
        params (string Key, string? Value)[] settings)
    {
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Configuration.AddInMemoryCollection(settings.Select(s => KeyValuePair.Create(s.Key, s.Value)));
        builder.Logging.SetMinimumLevel(LogLevel.Trace).AddProvider(logs);
        builder.Services.AddResilientHttpClient("api");
        if (isAdded)
            builder.Services.AddHttpResilienceOperations();
        services?.Invoke(builder.Services);
        return builder.Build();
    }

    private sealed class Nothing : CallObserver;
}
