using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience;

/// <summary>
/// Whether the container has the package that evaluates alerts and error budgets: it registers its observer under its name. Without it,
/// what is configured for it is an error, so that no alert is lost in silence.
/// </summary>
internal static class OperationsPackage
{
    internal const string Name = "HttpResilience.Operations";

    internal const string HowToAdd = $"package {Name} and builder.Services.AddHttpResilienceOperations();";

    private const string AlertClient = "HttpResilience.Alerts";

    /// <summary>The client of alerts has settings of its own, and neither alerts nor an error budget.</summary>
    /// <exception cref="ArgumentException">A client of the application has its name.</exception>
    internal static void RefuseNameOfAlerts(string? clientName)
    {
        if (clientName == AlertClient)
        {
            throw new ArgumentException(
                $"Package {Name} sends alerts with a client named '{AlertClient}'; give this client another name.", nameof(clientName));
        }
    }

    /// <summary>The client is one of the application, not that of alerts.</summary>
    internal static bool IsOfApplication(string clientName) => clientName != AlertClient;

    internal static bool IsIn(IServiceProviderIsService services) =>
        services is IServiceProviderIsKeyedService keyed && keyed.IsKeyedService(typeof(CallObserver), Name);

    /// <summary>The section of alerts, when it is configured.</summary>
    internal static IEnumerable<string> ProblemsOf(IConfiguration? configuration)
    {
        if (configuration?.GetSection(OptionPath.Alerts) is { } section && section.Exists())
            yield return $"{section.Path} is configured, which needs {Name}; add {HowToAdd}";
    }

    /// <summary>Each key of an error budget that is not at its default.</summary>
    internal static IEnumerable<string> ProblemsOf(ErrorBudgetOptions options, OptionPath path)
    {
        var defaults = new ErrorBudgetOptions();
        (string Key, object? Value, object? Default)[] keys =
        [
            (nameof(options.Objective), options.Objective, defaults.Objective),
            (nameof(options.Window), options.Window, defaults.Window),
            (nameof(options.PauseAtBurn), options.PauseAtBurn, defaults.PauseAtBurn),
        ];
        return keys.Where(k => !Equals(k.Value, k.Default)).Select(k =>
            $"{path.Of(k.Key)} is {OptionPath.Show(k.Value)}, which needs {Name}; add {HowToAdd}");
    }
}
