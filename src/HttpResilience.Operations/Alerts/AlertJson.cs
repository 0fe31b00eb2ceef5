using System.Text.Json;
using System.Text.Json.Serialization;

namespace HttpResilience.Operations;

/// <summary>Alerts as webhooks get them.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Alert))]
[JsonSerializable(typeof(SlackMessage))]
internal sealed partial class AlertJson : JsonSerializerContext
{
    internal static byte[] Write(Alert alert, AlertWebhookFormat format) => format is AlertWebhookFormat.Json
        ? JsonSerializer.SerializeToUtf8Bytes(alert, Default.Alert)
        : JsonSerializer.SerializeToUtf8Bytes(new SlackMessage(TextOf(alert)), Default.SlackMessage);

    internal static string TextOf(Alert alert)
    {
        string head = alert.Phase switch
        {
            Operations.AlertPhase.Started => $"[{alert.Severity}]",
            Operations.AlertPhase.Reminder => $"[{alert.Severity}, still]",
            _ => "[Over]",
        };
        string version = alert.DeploymentVersion is { } v ? $"\nVersion {Escape(v)}" : "";
        return $"{head} *{Escape(alert.Title)}*\n{Escape(alert.Detail)}{version}";
    }

    // docs.slack.dev, "Formatting message text": these three are control characters; <!channel> would wake everybody.
    private static string Escape(string text) => text
        .Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal)
            .Replace(">", "&gt;", StringComparison.Ordinal);
}

/// <summary>The body for Slack's incoming webhooks.</summary>
internal sealed record SlackMessage(string Text);
