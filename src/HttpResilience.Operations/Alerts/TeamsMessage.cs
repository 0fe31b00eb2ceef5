using System.Text.Json.Serialization;

namespace HttpResilience.Operations;

/// <summary>The body for webhooks of Microsoft Teams: a message with one Adaptive Card.</summary>
internal sealed record TeamsMessage(string Type, IReadOnlyList<TeamsAttachment> Attachments)
{
    internal static TeamsMessage Of(Alert alert)
    {
        List<TeamsText> body =
        [
            new(ChatText.ForTeams($"{ChatText.HeadOf(alert)} {alert.Title}"), Weight: "Bolder", Color: ColorOf(alert)),
            new(ChatText.ForTeams(alert.Detail)),
        ];
        if (alert.DeploymentVersion is { } version)
            body.Add(new(ChatText.ForTeams($"Version {version}"), IsSubtle: true));
        return new("message", [new("application/vnd.microsoft.card.adaptive", new(body))]);
    }

    private static string ColorOf(Alert alert) => alert switch
    {
        { Phase: AlertPhase.Ended } => "Good",
        { Severity: AlertSeverity.Critical } => "Attention",
        _ => "Warning",
    };
}

/// <summary>An attachment of a <see cref="TeamsMessage"/>.</summary>
internal sealed record TeamsAttachment(string ContentType, TeamsCard Content);

/// <summary>An Adaptive Card 1.4, the version that Teams supports on all devices.</summary>
internal sealed record TeamsCard(IReadOnlyList<TeamsText> Body)
{
    [JsonPropertyName("$schema")]
    public string Schema { get; } = "http://adaptivecards.io/schemas/adaptive-card.json";

    public string Type { get; } = "AdaptiveCard";

    public string Version { get; } = "1.4";
}

/// <summary>A paragraph of a card.</summary>
internal sealed record TeamsText(string Text, string? Weight = null, string? Color = null, bool? IsSubtle = null)
{
    public string Type { get; } = "TextBlock";

    public bool Wrap { get; } = true;
}
