using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace HttpResilience;

/// <summary>Reads the options of a client from the configuration, and validates the final values, after the delegates ran.</summary>
internal sealed class ConfigureHttpResilienceOptions(
    IEnumerable<ResilientClient> clients, IServiceProviderIsService services, IConfiguration? configuration = null,
    IHostEnvironment? environment = null)
    : IConfigureNamedOptions<HttpResilienceOptions>, IValidateOptions<HttpResilienceOptions>
{
    public void Configure(HttpResilienceOptions options) => Configure(Options.DefaultName, options);

    public void Configure(string? name, HttpResilienceOptions options)
    {
        if (configuration is null)
            return;

        HttpResilienceOptions.Keys.Bind(options, configuration.GetSection(OptionPath.Defaults), options.BindingProblems);
        HttpResilienceOptions.Keys.Bind(options, configuration.GetSection($"{OptionPath.Clients}:{name}"), options.BindingProblems);
    }

    public ValidateOptionsResult Validate(string? name, HttpResilienceOptions options)
    {
        List<string> problems = [.. options.BindingProblems];
        var path = new OptionPath(configuration, name ?? "");
        HttpResilienceOptions.Keys.Validate(options, path, problems);
        if (ChaosOptions.ProblemIn(environment, options, path) is { } problem)
            problems.Add(problem);
        if (options.DeadLetter.Enabled && !services.IsService(typeof(IDeadLetterStore)))
            problems.Add(NeedsStorage(path.Below(nameof(HttpResilienceOptions.DeadLetter)).Of(nameof(DeadLetterOptions.Enabled)), "True"));
        if (options.Idempotency is { Enabled: true, RememberFor: { } rememberFor } && !services.IsService(typeof(IIdempotencyStore)))
        {
            string key = path.Below(nameof(HttpResilienceOptions.Idempotency)).Of(nameof(IdempotencyOptions.RememberFor));
            problems.Add(NeedsStorage(key, rememberFor.ToString()));
        }

        bool hasOperations = OperationsPackage.IsIn(services);
        if (!hasOperations)
            problems.AddRange(OperationsPackage.ProblemsOf(options.ErrorBudget, path.Below(nameof(HttpResilienceOptions.ErrorBudget))));

        // Reported for the first client only.
        if (name == (clients.FirstOrDefault()?.Name ?? Options.DefaultName))
        {
            problems.AddRange(UnknownRootKeys());
            if (!hasOperations)
                problems.AddRange(OperationsPackage.ProblemsOf(configuration));
        }

        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }

    private static string NeedsStorage(string path, string value) =>
        $"{path} is '{value}', which needs durable storage; add {StorageChoice.HowToAdd}";

    private IEnumerable<string> UnknownRootKeys()
    {
        string[] known = OptionPath.RootKeys;
        return configuration is null ? [] : configuration.GetSection(OptionPath.Root).GetChildren()
            .Where(child => !known.Contains(child.Key, StringComparer.OrdinalIgnoreCase))
            .Select(child => $"{child.Path} is not a known key; did you mean {OptionPath.Root}:{Spelling.Nearest(child.Key, known)}?");
    }
}
