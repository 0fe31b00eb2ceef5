using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HttpResilience;

/// <summary>
/// Makes every client that is known by name when the host starts, so that invalid options stop the host and notices about the clients are
/// logged first.
/// </summary>
internal sealed partial class ClientStartup(
    IServiceProvider services, IEnumerable<ResilientClient> clients, ILogger<ClientStartup> logger) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        string[] names = [.. clients.Select(c => c.Name).OfType<string>().Distinct()];
        foreach (string name in names)
            services.GetRequiredKeyedService<Client>(name);

        IConfigurationSection[] others =
        [
            .. (services.GetService<IConfiguration>()?.GetSection(OptionPath.Clients).GetChildren() ?? [])
                .Where(section => !names.Contains(section.Key, StringComparer.OrdinalIgnoreCase)),
        ];
        if (clients.Any(c => c.Name is null))
            Validate(others);
        else
            WarnOf(others, names);
        if (services.GetRequiredService<IServiceProviderIsService>() is var known && !OperationsPackage.IsIn(known))
            OperationsAreOff(logger, OperationsPackage.HowToAdd);
        HandlerNotices.LogAtStart(services, clients);
        return Task.CompletedTask;
    }

    /// <summary>Waits for the letters of the calls whose wait the stop has ended.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => Task.WhenAll(
        services.GetRequiredService<ResilientClients>().Select(client => WaitingCalls.Of(client).EmptyAsync(cancellationToken)));

    // When all clients have the chain, only the names in the configuration are known before the clients are used.
    private void Validate(IEnumerable<IConfigurationSection> sections)
    {
        var options = services.GetRequiredService<IOptionsFactory<HttpResilienceOptions>>();
        var problems = new List<OptionsValidationException>();
        foreach (var section in sections)
        {
            try
            {
                options.Create(section.Key);
            }
            catch (OptionsValidationException e)
            {
                problems.Add(e);
            }
        }

        if (problems.Count > 0)
            throw problems.Count == 1 ? problems[0] : new AggregateException(problems);
    }

    // Several programs may share one configuration file, so this is not an error.
    private void WarnOf(IEnumerable<IConfigurationSection> unused, string[] names)
    {
        foreach (var section in unused)
            UnusedSection(logger, section.Path, Spelling.Nearest(section.Key, names));
    }

    [LoggerMessage(405, LogLevel.Warning, "{Section} configures a client that is not registered here; the nearest name that is: {Nearest}")]
    private static partial void UnusedSection(ILogger logger, string section, string nearest);

    [LoggerMessage(412, LogLevel.Information, "Alerts and error budgets are off; to switch them on, add {HowToAdd}")]
    private static partial void OperationsAreOff(ILogger logger, string howToAdd);
}
