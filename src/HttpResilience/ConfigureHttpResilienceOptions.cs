using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace HttpResilience;

/// <summary>Reads the options of a client from the configuration, and validates the final values, after the delegates ran.</summary>
internal sealed class ConfigureHttpResilienceOptions(
    IEnumerable<ResilientClient> clients, IServiceProviderIsService services, IServiceProvider provider,
    IConfiguration? configuration = null, IHostEnvironment? environment = null)
    : IConfigureNamedOptions<HttpResilienceOptions>, IValidateOptions<HttpResilienceOptions>
{
    public void Configure(HttpResilienceOptions options) => Configure(Options.DefaultName, options);

    public void Configure(string? name, HttpResilienceOptions options)
    {
        if (configuration is not null)
        {
            options.Bind(configuration.GetSection(OptionPath.Defaults), OptionSource.Defaults, configuration);
            string client = $"{OptionPath.Clients}:{clients.SettingsNameOf(name ?? Options.DefaultName)}";
            options.Bind(configuration.GetSection(client), OptionSource.Client, configuration);
            options.BindingProblems.RemoveAll(problem => IsOtherClient(problem, client));
        }

        foreach (var section in clients.SectionsOf(name ?? Options.DefaultName))
        {
            options.Bind(section, OptionSource.Client);
            if (OptionPath.IsNull(section))
            {
                options.Notes.Add(
                    $"section {section.Path}, which AddResilience names, is missing or empty; the other settings are in force");
            }
        }

        options.EndBinding(PathOf(name));
    }

    // The configuration splits the name of a client at a colon: b of client a:b is a key of client a.
    private bool IsOtherClient(string problem, string section) => clients.Any(c =>
        $"{OptionPath.Clients}:{c.Name}".StartsWith($"{section}:", StringComparison.OrdinalIgnoreCase)
            && problem.StartsWith($"{section}:{c.Name![(section.Length - OptionPath.Clients.Length)..].Split(':')[0]} is not",
                StringComparison.OrdinalIgnoreCase));

    public ValidateOptionsResult Validate(string? name, HttpResilienceOptions options)
    {
        var path = PathOf(name);
        var routes = options.InRoutes;
        List<string> problems = [.. options.BindingProblems, .. ProblemsOf(options, path)];
        // What is wrong with the client is reported once.
        foreach (var route in routes)
            problems.AddRange(ProblemsOf(route, route.Path).Except(ProblemsOf(options, route.Path)));

        bool hasOperations = OperationsPackage.IsIn(services);
        if (!hasOperations)
            problems.AddRange(OperationsPackage.ProblemsOf(options.ErrorBudget, path.Below(nameof(HttpResilienceOptions.ErrorBudget))));

        // Reported for the first client only.
        if (name == (clients.WithChain.FirstOrDefault()?.HttpClientName ?? Options.DefaultName))
        {
            problems.AddRange(RootSection.ProblemsIn(configuration, clients));
            if (!hasOperations)
                problems.AddRange(OperationsPackage.ProblemsOf(configuration));
        }

        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }

    private List<string> ProblemsOf(HttpResilienceOptions options, OptionPath path)
    {
        List<string> problems = [];
        HttpResilienceOptions.Keys.Validate(options, path, problems);
        if (options.Endpoints.ProblemOfLists(path) is { } endpoints)
            problems.Add(endpoints);
        if (options.ProblemOfTimeouts(path) is { } timeouts)
            problems.Add(timeouts);
        if (ChaosOptions.ProblemIn(environment, options, path) is { } problem)
            problems.Add(problem);
        if (options.DeadLetter.Enabled && !services.IsService(typeof(IDeadLetterStore)))
            problems.Add(NeedsStorage(path.Below(nameof(HttpResilienceOptions.DeadLetter)).Of(nameof(DeadLetterOptions.Enabled)), "True"));
        if (options.DeadLetter is { Enabled: true, Protect: true } && ProblemOfProtection() is { } protection)
        {
            string key = path.Below(nameof(HttpResilienceOptions.DeadLetter)).Of(nameof(DeadLetterOptions.Protect));
            problems.Add($"{key} is 'True', {protection}");
        }

        if (options.Idempotency is { Enabled: true, RememberFor: { } rememberFor } && !services.IsService(typeof(IIdempotencyStore)))
        {
            string key = path.Below(nameof(HttpResilienceOptions.Idempotency)).Of(nameof(IdempotencyOptions.RememberFor));
            problems.Add(NeedsStorage(key, rememberFor.ToString()));
        }

        return problems;
    }

    private string? ProblemOfProtection() =>
        !services.IsService(typeof(ILetterProtector)) ? $"which needs a key ring; {ProtectedLetter.HowToAdd}"
            : provider.GetRequiredService<ILetterProtector>().Problem is { } problem ? $"and {problem}" : null;

    private OptionPath PathOf(string? name) => new(configuration, clients.SettingsNameOf(name ?? Options.DefaultName))
    {
        Own = [.. clients.SectionsOf(name ?? Options.DefaultName)],
    };

    private static string NeedsStorage(string path, string value) =>
        $"{path} is '{value}', which needs durable storage; add {StorageChoice.HowToAdd}";
}
