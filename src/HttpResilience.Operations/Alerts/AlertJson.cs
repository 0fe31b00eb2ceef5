using System.Text.Json;
using System.Text.Json.Serialization;

namespace HttpResilience.Operations;

/// <summary>Alerts as webhooks get them.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(Alert))]
[JsonSerializable(typeof(SlackMessage))]
[JsonSerializable(typeof(TeamsMessage))]
[JsonSerializable(typeof(string[]))]
internal sealed partial class AlertJson : JsonSerializerContext
{
    internal static byte[] Write(Alert alert, AlertWebhookFormat format) => format switch
    {
        AlertWebhookFormat.Json => JsonSerializer.SerializeToUtf8Bytes(alert, Default.Alert),
        AlertWebhookFormat.Teams => JsonSerializer.SerializeToUtf8Bytes(Operations.TeamsMessage.Of(alert), Default.TeamsMessage),
        _ => JsonSerializer.SerializeToUtf8Bytes(Operations.SlackMessage.Of(alert), Default.SlackMessage),
    };
}
