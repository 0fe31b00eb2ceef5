using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace HttpResilience;

/// <summary>Reads <c>HttpResilience:Alerts</c>, and validates what has become of it after code had its say.</summary>
internal sealed class ConfigureAlertOptions(IConfiguration? configuration = null) : IConfigureOptions<AlertOptions>, IValidateOptions<AlertOptions>
{
    public void Configure(AlertOptions options)
    {
        if (configuration is not null)
            AlertOptions.Keys.Bind(options, configuration.GetSection(OptionPath.Alerts), options.BindingProblems);
    }

    public ValidateOptionsResult Validate(string? name, AlertOptions options)
    {
        List<string> problems = [];
        var path = OptionPath.At(OptionPath.Alerts);
        AlertOptions.Keys.Validate(options, path, problems);
        // What could not be read is missing, too: that is told once.
        problems.RemoveAll(p => options.BindingProblems.Exists(b => KeyOf(b).Equals(KeyOf(p), StringComparison.OrdinalIgnoreCase)));
        problems.InsertRange(0, options.BindingProblems);
        foreach (var (index, rule) in options.Rules.Index())
            problems.AddRange(ProblemsOf(rule, path.Below(nameof(AlertOptions.Rules)).Below(index.ToString(CultureInfo.InvariantCulture))));
        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }

    private static string KeyOf(string problem) => problem.Split(" is ", 2)[0];

    // What hangs together with the type.
    private static IEnumerable<string> ProblemsOf(AlertRuleOptions rule, OptionPath path)
    {
        if (rule.Type is not { } type || !Enum.IsDefined(type))
            yield break;

        var shape = AlertRuleShape.Of(type);
        if (rule.Threshold is { } threshold && !IsAllowed(shape, threshold))
            yield return $"{path.Of(nameof(rule.Threshold))} is {OptionPath.Show(threshold)}; for {type} it must be {Expected(shape)}.";
        if (rule.Window is { } window && shape.Window == TimeSpan.Zero)
            yield return $"{path.Of(nameof(rule.Window))} is {OptionPath.Show(window)}; {type} has no window, it must be null.";
    }

    private static bool IsAllowed(AlertRuleShape shape, double threshold) =>
        threshold >= shape.Least && threshold <= shape.Most && (!shape.IsCount || double.IsInteger(threshold));

    private static string Expected(AlertRuleShape shape) => shape.Least is not { } least ? "null"
        : string.Create(CultureInfo.InvariantCulture, $"{(shape.IsCount ? "an integer" : "a number")} from {least} to {shape.Most}, or null");
}
