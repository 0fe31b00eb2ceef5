using HttpResilience.Configuration;

namespace HttpResilience.Operations;

/// <summary>
/// The alerts that are raised, and their receivers. Section <c>HttpResilience:Alerts</c>, for the whole application;
/// <c>services.Configure&lt;AlertOptions&gt;</c> overrides it. Alerts are raised while a host runs.
/// </summary>
public sealed class AlertOptions
{
    /// <summary>Whether alerts are raised. Default true: without a webhook and a sink they are only logged.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>The version of the application, shown in alerts. Default null: the informational version of the program.</summary>
    public string? DeploymentVersion { get; set; }

    /// <summary>The webhooks that receive alerts. Default none.</summary>
    public IList<AlertWebhookOptions> Webhooks { get; set; } = [];

    /// <summary>
    /// The rules that raise alerts. Default empty: all types with their default values. A given rule replaces all of those.
    /// </summary>
    public IList<AlertRuleOptions> Rules { get; set; } = [];

    /// <summary>The configuration values that could not be read.</summary>
    internal List<string> BindingProblems { get; } = [];

    internal const string Section = "HttpResilience:Alerts";

    internal static OptionKeys<AlertOptions> Keys { get; } = new OptionKeys<AlertOptions>()
        .Boolean(nameof(Enabled), o => o.Enabled, (o, v) => o.Enabled = v)
        .OptionalText(nameof(DeploymentVersion), o => o.DeploymentVersion, (o, v) => o.DeploymentVersion = v)
        .Sections(nameof(Webhooks), o => o.Webhooks, (o, v) => o.Webhooks = v, AlertWebhookOptions.Keys)
        .Sections(nameof(Rules), o => o.Rules, (o, v) => o.Rules = v, AlertRuleOptions.Keys);
}

/// <summary>An address that alerts are sent to. Section <c>Alerts:Webhooks</c>.</summary>
public sealed class AlertWebhookOptions
{
    /// <summary>
    /// The address: an absolute http or https URI. Its path and query are treated as secrets: they are neither logged nor stored. Required.
    /// </summary>
    public Uri? Url { get; set; }

    /// <summary>The format of the request body. Default <see cref="AlertWebhookFormat.Slack"/>.</summary>
    public AlertWebhookFormat Format { get; set; }

    /// <summary>
    /// The key that signs each request by the rules of Standard Webhooks (<c>webhook-id</c>, <c>webhook-timestamp</c>,
    /// <c>webhook-signature</c>): <c>whsec_</c> and the Base64 of 24 to 64 random bytes. Another text is used as its UTF-8 bytes. Until the
    /// next version each request also has the obsolete <c>X-HttpResilience-Signature</c>. Default null: not signed.
    /// </summary>
    public string? Secret { get; set; }

    /// <summary>
    /// The key before <see cref="Secret"/>, while receivers change to the new one: requests are signed with both. Default null: none.
    /// </summary>
    public string? PreviousSecret { get; set; }

    /// <summary>Alerts below this are not sent here. Default <see cref="AlertSeverity.Warning"/>: all.</summary>
    public AlertSeverity MinimumSeverity { get; set; }

    internal static OptionKeys<AlertWebhookOptions> Keys => new OptionKeys<AlertWebhookOptions>()
        .SecretUri(nameof(Url), o => o.Url, (o, v) => o.Url = v)
        .Choice(nameof(Format), o => o.Format, (o, v) => o.Format = v)
        .OptionalText(nameof(Secret), o => o.Secret, (o, v) => o.Secret = v)
        .OptionalText(nameof(PreviousSecret), o => o.PreviousSecret, (o, v) => o.PreviousSecret = v)
        .Choice(nameof(MinimumSeverity), o => o.MinimumSeverity, (o, v) => o.MinimumSeverity = v);
}

/// <summary>The format of a webhook's request body.</summary>
public enum AlertWebhookFormat
{
    /// <summary>An object with <c>text</c>, as Slack's incoming webhooks and compatible ones accept it.</summary>
    Slack,

    /// <summary>
    /// All of the <see cref="Alert"/>, in camel case: <c>id</c>, <c>rule</c>, <c>rules</c>, <c>phase</c>, <c>severity</c>,
    /// <c>clientName</c>, <c>authority</c>, <c>tenant</c>, <c>subject</c>, <c>title</c>, <c>detail</c>, <c>startedAt</c>, <c>at</c>,
    /// <c>count</c>, <c>values</c> (an object of numbers), <c>deploymentVersion</c>. Enumerations are texts, times are in the format of RFC
    /// 3339; null values are left out.
    /// </summary>
    Json,

    /// <summary>
    /// A message with an Adaptive Card, as webhooks of Microsoft Teams (Workflows, "When a Teams webhook request is received") accept it.
    /// </summary>
    Teams,
}
