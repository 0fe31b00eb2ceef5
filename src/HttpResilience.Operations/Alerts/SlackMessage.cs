namespace HttpResilience.Operations;

/// <summary>The body for Slack's incoming webhooks.</summary>
internal sealed record SlackMessage(string Text)
{
    internal static SlackMessage Of(Alert alert)
    {
        string version = alert.DeploymentVersion is { } v ? $"\nVersion {ChatText.ForSlack(v)}" : "";
        return new($"{ChatText.HeadOf(alert)} *{ChatText.ForSlack(alert.Title)}*\n{ChatText.ForSlack(alert.Detail)}{version}");
    }
}
