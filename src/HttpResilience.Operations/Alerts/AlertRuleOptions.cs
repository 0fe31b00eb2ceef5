using HttpResilience.Configuration;

namespace HttpResilience.Operations;

/// <summary>One thing to be alerted about. Section <c>Alerts:Rules</c>. What is left out has the type's own number.</summary>
public sealed class AlertRuleOptions
{
    /// <summary>What it is about. Must be given.</summary>
    public AlertRuleType? Type { get; set; }

    /// <summary>The client that it is for. Default null: every client by itself.</summary>
    public string? Client { get; set; }

    /// <summary>How many, or how many times the usual, as the type has it. Default null: the type's own.</summary>
    public double? Threshold { get; set; }

    /// <summary>The time that is looked at, 1 s to 90 days. Default null: the type's own.</summary>
    public TimeSpan? Window { get; set; }

    /// <summary>
    /// The time between reminders while it holds. 1 s to 30 days; default null: 1 h, for a burn over more than 12 h a twelfth of its
    /// window, for a spent budget a day.
    /// </summary>
    public TimeSpan? CoolDown { get; set; }

    /// <summary>How urgent it is. Default null: the type's own.</summary>
    public AlertSeverity? Severity { get; set; }

    internal static OptionKeys<AlertRuleOptions> Keys => new OptionKeys<AlertRuleOptions>()
        .RequiredChoice(nameof(Type), o => o.Type, (o, v) => o.Type = v)
        .OptionalText(nameof(Client), o => o.Client, (o, v) => o.Client = v)
        .OptionalNumber(nameof(Threshold), o => o.Threshold, (o, v) => o.Threshold = v, 0, 1_000_000)
        .OptionalDuration(nameof(Window), o => o.Window, (o, v) => o.Window = v, TimeSpan.FromSeconds(1), TimeSpan.FromDays(90))
        .OptionalDuration(nameof(CoolDown), o => o.CoolDown, (o, v) => o.CoolDown = v, TimeSpan.FromSeconds(1), TimeSpan.FromDays(30))
        .OptionalChoice(nameof(Severity), o => o.Severity, (o, v) => o.Severity = v);
}
