using HttpResilience.Configuration;

namespace HttpResilience.Operations;

/// <summary>A rule that raises alerts. Section <c>Alerts:Rules</c>. An option that is left out has the default of the type.</summary>
public sealed class AlertRuleOptions
{
    /// <summary>The type of the rule. Required.</summary>
    public AlertRuleType? Type { get; set; }

    /// <summary>The client that the rule is for, in any case. Default null: each client separately.</summary>
    public string? Client { get; set; }

    /// <summary>The count, or the multiple of the usual value, depending on the type. Default null: the default of the type.</summary>
    public double? Threshold { get; set; }

    /// <summary>The time over which the rule counts. 1 s to 90 days; default null: the default of the type.</summary>
    public TimeSpan? Window { get; set; }

    /// <summary>
    /// The time between reminders while the problem lasts. 1 s to 30 days; default null: 1 h, for a burn over more than 12 h a twelfth of
    /// its window, for a spent budget a day.
    /// </summary>
    public TimeSpan? CoolDown { get; set; }

    /// <summary>The severity of the alert. Default null: the default of the type.</summary>
    public AlertSeverity? Severity { get; set; }

    internal static OptionKeys<AlertRuleOptions> Keys => new OptionKeys<AlertRuleOptions>()
        .RequiredChoice(nameof(Type), o => o.Type, (o, v) => o.Type = v)
        .OptionalText(nameof(Client), o => o.Client, (o, v) => o.Client = v)
        .OptionalNumber(nameof(Threshold), o => o.Threshold, (o, v) => o.Threshold = v, 0, 1_000_000)
        .OptionalDuration(nameof(Window), o => o.Window, (o, v) => o.Window = v, TimeSpan.FromSeconds(1), TimeSpan.FromDays(90))
        .OptionalDuration(nameof(CoolDown), o => o.CoolDown, (o, v) => o.CoolDown = v, TimeSpan.FromSeconds(1), TimeSpan.FromDays(30))
        .OptionalChoice(nameof(Severity), o => o.Severity, (o, v) => o.Severity = v);
}
