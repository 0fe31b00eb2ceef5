using HttpResilience.CrashWorker;
using HttpResilience.IntegrationTests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace HttpResilience.IntegrationTests.Health;

/// <summary>An application with a store and a health check, whose clock runs ten times as fast: it probes the store every second.</summary>
internal sealed class HealthyHost : IAsyncDisposable
{
    private readonly IHost _host;

    private HealthyHost(IHost host) => _host = host;

    internal static async Task<HealthyHost> StartAsync(Action<IServiceCollection> addStorage, Action<IServiceCollection>? services = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<TimeProvider>(new FastTime(DateTimeOffset.UtcNow, 10, default));
        addStorage(builder.Services);
        builder.Services.AddResilientHttpClient(KeepingHost.Client, options =>
        {
            options.BaseAddress = new("https://api.test/");
            options.DeadLetter.Enabled = true;
        });
        builder.Services.AddHealthChecks().AddHttpResilience();
        services?.Invoke(builder.Services);
        var host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);
        return new(host);
    }

    internal async Task<HealthReportEntry> CheckAsync() =>
        (await _host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(TestContext.Current.CancellationToken))
        .Entries["http-resilience"];

    /// <summary>Checks until the status is this one.</summary>
    /// <returns>The description.</returns>
    internal async Task<string> UntilAsync(HealthStatus status)
    {
        using var limit = new CancellationTokenSource(ResilientClientUnderTest.Hang);
        HealthReportEntry entry;
        while ((entry = await CheckAsync()).Status != status)
        {
            limit.IsCancellationRequested.ShouldBeFalse($"{entry.Status}: {entry.Description} {entry.Exception}");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }

        return entry.Description!;
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync(CancellationToken.None);
        _host.Dispose();
    }
}
