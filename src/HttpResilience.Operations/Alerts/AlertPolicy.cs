namespace HttpResilience.Operations;

/// <summary>An immutable snapshot of <see cref="AlertOptions"/>.</summary>
internal sealed class AlertPolicy(AlertOptions options)
{
    internal bool IsOn { get; } = options.Enabled;

    internal string? DeploymentVersion { get; } = options.DeploymentVersion;

    internal IReadOnlyList<AlertRule> Rules { get; } =
    [
        .. (options.Rules.Count > 0 ? options.Rules : Enum.GetValues<AlertRuleType>().Select(type => new AlertRuleOptions { Type = type }))
            .SelectMany(AlertRule.From).Distinct(),
    ];

    internal IReadOnlyList<AlertWebhook> Webhooks { get; } =
        [.. options.Webhooks.Select(w => new AlertWebhook(w.Url!, w.Format, w.Secret, w.MinimumSeverity, w.PreviousSecret)).Distinct()];

    /// <summary>How many failures must be remembered to judge by the rules about calls.</summary>
    internal int MaxMemory => Rules.Where(r => r.Type is AlertRuleType.FailuresInWindow or AlertRuleType.TenantFailing)
        .Select(r => (int)r.Threshold).DefaultIfEmpty(0).Max();

    /// <summary>For how long failures must be remembered.</summary>
    internal TimeSpan MaxWindow => Rules.Where(r => r.IsAboutCalls).Select(r => r.Window).DefaultIfEmpty().Max();
}
