using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HttpResilience.Migration;

/// <summary>Logs once for each client what would differ: when the host starts, or without one when the client is first created.</summary>
internal sealed partial class MigrationReporter(MigratedClients clients, IServiceProvider services, ILoggerFactory loggers) : IHostedService
{
    private readonly ConcurrentDictionary<MigratedClient, bool> _reported = [];
    private readonly ILogger _logger = loggers.CreateLogger(PeerDelegates.LogCategory);

    public Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var client in clients.Reported)
            Report(client);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Reports about a client that is created.</summary>
    internal void Report(string name)
    {
        foreach (var client in clients.Reported.Where(c => c.Name is null || c.Name == name))
            Report(client);
    }

    private void Report(MigratedClient client)
    {
        if (!_reported.TryAdd(client, true))
            return;
        var settings = PeerOptions.Read(services, client) with
        {
            IsBesideAll = client.Name is not null && (clients.HaveChainForAll
                || services.GetServices<IConfigureOptions<HttpClientFactoryOptions>>().Any(HandlerRegistration.IsForAll)),
        };
        WillDiffer(_logger, client.Name ?? "All clients", MigrationReport.Of(settings));
    }

    [LoggerMessage(802, LogLevel.Information, "{ClientName}: UseHttpResilience would change this; nothing is changed yet. {Report}")]
    private static partial void WillDiffer(ILogger logger, string clientName, string report);
}
