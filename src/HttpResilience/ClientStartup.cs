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
        string[] names = [.. clients.Select(c => c.Name).OfType<string>()];
        foreach (string name in names)
            services.GetRequiredKeyedService<ClientState>(name);

        IConfigurationSection[] others =
        [
            .. (services.GetService<IConfiguration>()?.GetSection(OptionPath.Clients).GetChildren() ?? [])
                .Where(section => !names.Contains(section.Key, StringComparer.OrdinalIgnoreCase)),
        ];
        if (clients.Any(c => c.Name is null))
            Validate(others);
        else
            WarnOf(others.Select(section => (section.Path, section.Key)).Concat(RulesFor(names)), names);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

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

    private IEnumerable<(string Path, string Name)> RulesFor(string[] names) => services.GetRequiredService<AlertSettings>().Policy.Rules
        .Where(rule => rule.Client is not null && !names.Contains(rule.Client)).Select(rule => ($"{OptionPath.Alerts}:Rules, Client '{rule.Client}',", rule.Client!));

    // Several programs may share one configuration file, so this is not an error.
    private void WarnOf(IEnumerable<(string Path, string Name)> unused, string[] names)
    {
        foreach (var (path, name) in unused)
            UnusedSection(logger, path, Spelling.Nearest(name, names));
    }

    [LoggerMessage(405, LogLevel.Warning, "{Section} configures a client that is not registered here; the nearest name that is: {Nearest}")]
    private static partial void UnusedSection(ILogger logger, string section, string nearest);
}
