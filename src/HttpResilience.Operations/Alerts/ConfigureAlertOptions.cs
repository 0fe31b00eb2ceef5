using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace HttpResilience.Operations;

/// <summary>Reads <c>HttpResilience:Alerts</c>, and validates the final values, after the delegates ran.</summary>
internal sealed class ConfigureAlertOptions(IConfiguration? configuration = null) : IConfigureOptions<AlertOptions>,
    IValidateOptions<AlertOptions>
{
    public void Configure(AlertOptions options)
    {
        if (configuration is not null)
            AlertOptions.Keys.Bind(options, configuration.GetSection(AlertOptions.Section), options.BindingProblems);
    }

    public ValidateOptionsResult Validate(string? name, AlertOptions options)
    {
        List<string> problems = [];
        AlertOptions.Keys.Validate(options, AlertOptions.Section, problems);
        // An unreadable value is also reported as missing; one message is enough.
        problems.RemoveAll(p => options.BindingProblems.Exists(b => KeyOf(b).Equals(KeyOf(p), StringComparison.OrdinalIgnoreCase)));
        problems.InsertRange(0, options.BindingProblems);
        foreach (var (index, rule) in options.Rules.Index())
            problems.AddRange(ProblemsOf(rule,
                string.Create(CultureInfo.InvariantCulture, $"{AlertOptions.Section}:{nameof(AlertOptions.Rules)}:{index}")));
        foreach (var (index, webhook) in options.Webhooks.Index())
            problems.AddRange(ProblemsOf(webhook,
                string.Create(CultureInfo.InvariantCulture, $"{AlertOptions.Section}:{nameof(AlertOptions.Webhooks)}:{index}")));
        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }

    private static string KeyOf(string problem) => problem.Split(" is ", 2)[0];

    // The problems that depend on the type.
    private static IEnumerable<string> ProblemsOf(AlertRuleOptions rule, string path)
    {
        if (rule.Type is not { } type || !Enum.IsDefined(type))
            yield break;

        var shape = AlertRuleShape.Of(type);
        if (rule.Threshold is { } threshold && !IsAllowed(shape, threshold))
            yield return string.Create(CultureInfo.InvariantCulture,
                $"{path}:{nameof(rule.Threshold)} is '{threshold}'; for {type} it must be {Expected(shape)}.");
        if (rule.Window is { } window && shape.Window == TimeSpan.Zero)
            yield return $"{path}:{nameof(rule.Window)} is '{window}'; {type} has no window, it must be null.";
    }

    // Without the value: it is a secret.
    private static IEnumerable<string> ProblemsOf(AlertWebhookOptions webhook, string path)
    {
        const string Rule = "begins with whsec_ and must then be the Base64 of 24 to 64 bytes (Standard Webhooks).";
        if (!WebhookSignature.IsValid(webhook.Secret))
            yield return $"{path}:{nameof(webhook.Secret)} {Rule}";
        if (!WebhookSignature.IsValid(webhook.PreviousSecret))
            yield return $"{path}:{nameof(webhook.PreviousSecret)} {Rule}";
        if (webhook is { Secret: null, PreviousSecret: not null })
            yield return $"{path}:{nameof(webhook.PreviousSecret)} is set without {nameof(webhook.Secret)}; it must be null.";
    }

    private static bool IsAllowed(AlertRuleShape shape, double threshold) =>
        threshold >= shape.Min && threshold <= shape.Max && (!shape.IsCount || double.IsInteger(threshold));

    private static string Expected(AlertRuleShape shape) => shape.Min is not { } least ? "null"
        : string.Create(CultureInfo.InvariantCulture,
            $"{(shape.IsCount ? "an integer" : "a number")} from {least} to {shape.Max}, or null");
}
