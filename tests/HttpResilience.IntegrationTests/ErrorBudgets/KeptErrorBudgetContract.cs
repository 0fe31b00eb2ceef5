using System.Net;
using HttpResilience.IntegrationTests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HttpResilience.IntegrationTests.ErrorBudgets;

/// <summary>Successive and concurrent hosts on one database.</summary>
public abstract class KeptErrorBudgetContract : StorageContract
{
    private readonly Broken _api = new();

    [Fact]
    public async Task Counts_and_a_pause_outlive_the_host_and_a_resumed_client_stays_resumed()
    {
        using (var first = await StartAsync())
        {
            for (int i = 0; i < 5; i++)
                (await CallAsync(first)).ShouldBe(HttpStatusCode.InternalServerError);
            await Should.ThrowAsync<IntegrationPausedException>(() => CallAsync(first));
            await first.StopAsync(Stop);
        }

        using (var second = await StartAsync())
        {
            await Eventually.BeAsync(() => Status(second) is { Calls: 5, Failures: 5, PausedSince: not null });
            await Should.ThrowAsync<IntegrationPausedException>(() => CallAsync(second));
            (await HealthAsync(second)).ShouldBe(HealthStatus.Unhealthy);
            await second.Services.GetRequiredService<IErrorBudgets>().ResumeAsync("api", "Bob", Stop);
            (await CallAsync(second)).ShouldBe(HttpStatusCode.InternalServerError);
            await second.StopAsync(Stop);
        }

        using var third = await StartAsync();
        await Eventually.BeAsync(() => Status(third).Calls == 6);
        // Four calls have failed since, including the one of the second host.
        for (int i = 0; i < 3; i++)
            await CallAsync(third);
        Status(third).PausedSince.ShouldBeNull();
        (await HealthAsync(third)).ShouldBe(HealthStatus.Degraded);
        await third.StopAsync(Stop);
    }

    [Fact]
    public async Task A_client_that_is_made_while_it_is_paused_does_not_send_its_first_call()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        Database.AddTo(builder.Services).AddHttpResilienceOperations();
        // Clients of any name: none is known when the host starts.
        builder.Services.ConfigureHttpClientDefaults(b => b.AddResilience().ConfigurePrimaryHttpMessageHandler(() => _api));
        using var host = builder.Build();
        await host.Services.GetRequiredService<ClientPauses>().PauseAsync("api", "Ann", "double invoices", Stop);
        await host.StartAsync(Stop);

        await Should.ThrowAsync<IntegrationPausedException>(() => CallAsync(host));
        Status(host).ShouldSatisfyAllConditions(s => s.PausedBy.ShouldBe("Ann"), s => s.PausedNote.ShouldBe("double invoices"));
        await host.StopAsync(Stop);
    }

    [Fact]
    public async Task A_pause_by_a_program_of_the_process_is_written_down_with_its_note()
    {
        using var host = await StartAsync();
        var budgets = host.Services.GetRequiredService<IErrorBudgets>();

        await budgets.PauseAsync("api", "Ann", "double invoices", Stop);
        await budgets.PauseAsync("api", "Bob", "me too", Stop);
        await budgets.ResumeAsync("api", "Bob", null, Stop);

        (await Database.Open(application: host.Services.GetRequiredService<StorageApplication>().Name).Activity.ListAsync(null, 10, Stop))
            .Select(a => (a.Action, a.By, a.ClientName, a.Notes)).ShouldBe(
            [("Resume", "Bob", "api", null), ("Pause", "Ann", "api", "double invoices")]);
        (await host.Services.GetRequiredService<ClientPauses>().ListAsync(Stop)).ShouldHaveSingleItem().IsPaused.ShouldBeFalse();
        await host.StopAsync(Stop);
    }

    [Fact]
    public async Task A_host_starts_and_sends_calls_while_the_database_is_unavailable()
    {
        using var host = Build(services => services.AddHttpResilienceStorage(UseNowhere));

        await host.StartAsync(Stop).WaitAsync(ResilientClientUnderTest.Hang, Stop);

        (await CallAsync(host)).ShouldBe(HttpStatusCode.InternalServerError);
        (await HealthAsync(host)).ShouldBe(HealthStatus.Unhealthy);
        await host.StopAsync(Stop).WaitAsync(ResilientClientUnderTest.Hang, Stop);
    }

    protected abstract void UseNowhere(HttpResilienceStorageBuilder storage);

    private async Task<IHost> StartAsync()
    {
        var host = Build(services => Database.AddTo(services));
        await host.StartAsync(Stop);
        return host;
    }

    private IHost Build(Action<IServiceCollection> addStorage)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.SetMinimumLevel(LogLevel.Debug).AddProvider(Database.Log);
        addStorage(builder.Services);
        builder.Services.AddHealthChecks().AddHttpResilience();
        builder.Services.AddResilientHttpClient("api", o =>
        {
            (o.Retry.MaxRetryAttempts, o.CircuitBreaker.BreakDuration, o.ErrorBudget.PauseAtBurn) = (0, null, 2);
        }).ConfigurePrimaryHttpMessageHandler(() => _api);
        return builder.Build();
    }

    private static async Task<HttpStatusCode> CallAsync(IHost host)
    {
        using var response = await host.Services.GetRequiredService<IHttpClientFactory>().CreateClient("api")
            .GetAsync("https://api.test/", Stop);
        return response.StatusCode;
    }

    private static ErrorBudgetStatus Status(IHost host) => host.Services.GetRequiredService<IErrorBudgets>().List().Single();

    private static async Task<HealthStatus> HealthAsync(IHost host) =>
        (await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Stop)).Status;

    private sealed class Broken : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(HttpStatusCode.InternalServerError));
    }
}
