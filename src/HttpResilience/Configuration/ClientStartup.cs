using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>When the host starts, makes the state of every client, so that what the log has to say about them stands at its beginning.</summary>
internal sealed partial class ClientStartup(
    IServiceProvider services, IEnumerable<ResilientClient> clients, ILogger<ClientStartup> logger) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        string[] names = [.. clients.Select(c => c.Name)];
        foreach (string name in names)
            services.GetRequiredKeyedService<ClientState>(name);

        // Several programs may share one configuration file, so this is not an error.
        foreach (var section in services.GetService<IConfiguration>()?.GetSection(OptionPath.Clients).GetChildren() ?? [])
        {
            if (!names.Contains(section.Key, StringComparer.OrdinalIgnoreCase))
                UnusedSection(logger, section.Path, Spelling.Nearest(section.Key, names));
        }

        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(405, LogLevel.Warning, "{Section} configures a client that is not registered here; the nearest name that is: {Nearest}")]
    private static partial void UnusedSection(ILogger logger, string section, string nearest);
}
