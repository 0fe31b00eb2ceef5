using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HttpResilience.IntegrationTests.Storage;

/// <summary>An application whose failed calls become letters of a database.</summary>
internal static class KeepingHost
{
    internal const string Client = "orders";

    internal static async Task<IHost> StartAsync(TestDatabase database, Uri api, ILoggerProvider? log = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        if (log is not null)
            builder.Logging.AddProvider(log);
        database.AddTo(builder.Services);
        builder.Services.AddResilientHttpClient(Client, options =>
        {
            options.BaseAddress = api;
            options.DeadLetter.Enabled = true;
            options.Retry.MaxRetryAttempts = 0;
            // Every call is sent, however many have failed.
            options.CircuitBreaker.BreakDuration = null;
        });
        var host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);
        return host;
    }

    /// <returns>The letter of the call; null when it was not stored.</returns>
    internal static async Task<Guid?> SendAsync(HttpClient http)
    {
        using var response = await http.PostAsync("invoices", new StringContent("{}"), TestContext.Current.CancellationToken);
        return response.GetHttpCall()!.DeadLetterId;
    }
}
