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
        string[] names = [.. clients.WithChain.Select(c => c.Name).OfType<string>().Distinct()];
        foreach (string name in names)
            services.GetRequiredKeyedService<Client>(name);

        var configuration = services.GetService<IConfiguration>();
        IConfigurationSection[] others = [.. Unused(configuration?.GetSection(OptionPath.Clients), names)];
        if (clients.WithChain.Any(c => c.Name is null))
            // The client of the section https, with the key //api.example.com, is checked when it is first used.
            Validate(others.Where(s => !s.GetChildren().Any(c => c.Key.StartsWith("//", StringComparison.Ordinal))));
        else
            WarnOf(others, names);
        WarnOfRoots(configuration);
        if (services.GetRequiredService<IServiceProviderIsService>() is var known && !OperationsPackage.IsIn(known))
            OperationsAreOff(logger, OperationsPackage.HowToAdd);
        HandlerNotices.LogAtStart(services, clients);
        return Task.CompletedTask;
    }

    /// <summary>Waits for the letters of the calls whose wait the stop has ended.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => Task.WhenAll(
        services.ResilientClients.Select(client => WaitingCalls.Of(client).EmptyAsync(cancellationToken)));

    // The configuration splits the name of a client at a colon: that of https://api is a section in a section.
    private static IEnumerable<IConfigurationSection> Unused(IConfigurationSection? section, string[] names) =>
        (section?.GetChildren() ?? []).SelectMany(child =>
        {
            string path = child.Path[(OptionPath.Clients.Length + 1)..];
            return names.Contains(path, StringComparer.OrdinalIgnoreCase) ? []
                : names.Any(n => n.StartsWith($"{path}:", StringComparison.OrdinalIgnoreCase)) ? Unused(child, names)
                : [child];
        });

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
        foreach (var section in unused.Where(s => !clients.Any(c => s.Path.Equals(c.Section?.Path, StringComparison.OrdinalIgnoreCase))))
            UnusedSection(logger, section.Path, Spelling.Similar(section.Key, names) ?? string.Join(", ", names));
    }

    // A section whose name is a misspelt root is not read.
    private void WarnOfRoots(IConfiguration? configuration)
    {
        foreach (var section in (configuration?.GetChildren() ?? []).Where(IsLikeRoot))
            MisspeltRoot(logger, section.Path, OptionPath.Root);
    }

    private static bool IsLikeRoot(IConfigurationSection section) =>
        !section.Key.Equals(OptionPath.Root, StringComparison.OrdinalIgnoreCase)
        && (Spelling.Similar(section.Key, [OptionPath.Root]) is not null
            || OptionPath.RootKeys.Any(key => section.Key.StartsWith($"{OptionPath.Root}_{key}", StringComparison.OrdinalIgnoreCase)
                || section.Key.StartsWith($"{OptionPath.Root}.{key}", StringComparison.OrdinalIgnoreCase)));

    [LoggerMessage(405, LogLevel.Warning, "{Section} configures a client that is not registered here; registered: {Nearest}")]
    private static partial void UnusedSection(ILogger logger, string section, string nearest);

    [LoggerMessage(417, LogLevel.Warning, "{Section} is not read; the section of the clients is {Root}, in environment variables {Root}__")]
    private static partial void MisspeltRoot(ILogger logger, string section, string root);

    [LoggerMessage(412, LogLevel.Information, "Alerts and error budgets are off; to switch them on, add {HowToAdd}")]
    private static partial void OperationsAreOff(ILogger logger, string howToAdd);
}
