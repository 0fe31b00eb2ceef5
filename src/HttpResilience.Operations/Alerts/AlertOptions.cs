using HttpResilience.Configuration;

namespace HttpResilience.Operations;

/// <summary>
/// Which alerts are sent where. Section <c>HttpResilience:Alerts</c>, of the whole application;
/// <c>services.Configure&lt;AlertOptions&gt;</c> has the last word. Alerts are raised while a host runs.
/// </summary>
public sealed class AlertOptions
{
    /// <summary>Whether there are alerts. Default true: without a webhook and a sink they are in the log.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>The version of the application, which alerts name. Default null: unknown.</summary>
    public string? DeploymentVersion { get; set; }

    /// <summary>Where alerts are sent to. Default none.</summary>
    public IList<AlertWebhookOptions> Webhooks { get; set; } = [];

    /// <summary>
    /// What is alerted about. Default none given: all types with their own numbers. A rule that is given replaces all of those.
    /// </summary>
    public IList<AlertRuleOptions> Rules { get; set; } = [];

    /// <summary>What configuration said that could not be read.</summary>
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
    /// The address: an absolute http or https URI. Its path and query are taken for secrets, and neither logged nor stored. Must be
    /// given.
    /// </summary>
    public Uri? Url { get; set; }

    /// <summary>What is sent. Default <see cref="AlertWebhookFormat.Slack"/>.</summary>
    public AlertWebhookFormat Format { get; set; }

    /// <summary>
    /// Signs what is sent: <c>X-HttpResilience-Signature: t=&lt;unix seconds&gt;,v1=&lt;hex&gt;</c>, the HMAC-SHA256 with this of
    /// <c>&lt;unix seconds&gt;.&lt;body&gt;</c>. Default null: not signed.
    /// </summary>
    public string? Secret { get; set; }

    /// <summary>Alerts below this are not sent here. Default <see cref="AlertSeverity.Warning"/>: all.</summary>
    public AlertSeverity MinimumSeverity { get; set; }

    internal static OptionKeys<AlertWebhookOptions> Keys => new OptionKeys<AlertWebhookOptions>()
        .SecretUri(nameof(Url), o => o.Url, (o, v) => o.Url = v)
        .Choice(nameof(Format), o => o.Format, (o, v) => o.Format = v)
        .OptionalText(nameof(Secret), o => o.Secret, (o, v) => o.Secret = v)
        .Choice(nameof(MinimumSeverity), o => o.MinimumSeverity, (o, v) => o.MinimumSeverity = v);
}

/// <summary>What a webhook is sent.</summary>
public enum AlertWebhookFormat
{
    /// <summary>An object with <c>text</c>, as Slack's incoming webhooks take it, and those of others that are made like them.</summary>
    Slack,

    /// <summary>
    /// All of the <see cref="Alert"/>, in camel case: <c>id</c>, <c>rule</c>, <c>rules</c>, <c>phase</c>, <c>severity</c>,
    /// <c>clientName</c>, <c>authority</c>, <c>tenant</c>, <c>subject</c>, <c>title</c>, <c>detail</c>, <c>startedAt</c>, <c>at</c>,
    /// <c>count</c>, <c>values</c> (an object of numbers), <c>deploymentVersion</c>. Choices are texts, times as RFC 3339; what is null
    /// is left out.
    /// </summary>
    Json,
}
