using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.Clients;

/// <summary>The start of a host whose every client has the chain, by <c>ConfigureHttpClientDefaults</c>.</summary>
public sealed class AllClientsTests
{
    [Fact]
    public async Task Invalid_defaults_keep_the_host_from_starting()
    {
        var problems = await ProblemsAsync(
            ("HttpResilience:Defaults:Retry:MaxRetryAttempts", "many"), ("HttpResilience:Default:Retry:Delay", "1"));

        problems.ShouldBe(
        [
            "HttpResilience:Defaults:Retry:MaxRetryAttempts is 'many'; it must be an integer of 0 or more.",
            "HttpResilience:Default is not a known key; did you mean HttpResilience:Defaults?",
        ], ignoreOrder: true);
    }

    [Fact]
    public async Task An_invalid_section_of_a_client_keeps_the_host_from_starting()
    {
        var problems = await ProblemsAsync(
            ("HttpResilience:Clients:invoices:Retry:MaxRetryAttempts", "many"),
            ("HttpResilience:Clients:payments:Retry:MaxRetryAttemps", "1"));

        problems.ShouldBe(
        [
            "HttpResilience:Clients:invoices:Retry:MaxRetryAttempts is 'many'; it must be an integer of 0 or more.",
            "HttpResilience:Clients:payments:Retry:MaxRetryAttemps is not a known key; "
                + "did you mean HttpResilience:Clients:payments:Retry:MaxRetryAttempts?",
        ], ignoreOrder: true);
    }

    [Fact]
    public async Task The_section_of_a_client_is_no_stray_one()
    {
        using var logs = new LogCollector();
        using var host = StartTests.Host(logs, Add, ("HttpResilience:Clients:invoices:Retry:MaxRetryAttempts", "2"));

        await host.StartAsync(TestContext.Current.CancellationToken);

        logs.WithId(405).ShouldBeEmpty();
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_host_without_configuration_starts()
    {
        using var logs = new LogCollector();
        using var host = StartTests.Host(logs, Add);

        await host.StartAsync(TestContext.Current.CancellationToken);
        host.Services.GetRequiredService<IHttpClientFactory>().CreateClient("invoices").Timeout.ShouldBe(TimeSpan.FromSeconds(101));

        logs.WithId(405).ShouldBeEmpty();
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    private static void Add(IServiceCollection services)
    {
        services.ConfigureHttpClientDefaults(defaults => defaults.AddResilience());
        services.AddHttpClient("invoices");
    }

    private static async Task<IReadOnlyList<string>> ProblemsAsync(params (string Key, string? Value)[] settings)
    {
        using var logs = new LogCollector();
        using var host = StartTests.Host(logs, Add, settings);

        var thrown = await Assert.ThrowsAnyAsync<Exception>(() => host.StartAsync(TestContext.Current.CancellationToken));

        return StartTests.ProblemsOf(thrown);
    }
}
