using HttpResilience.Operations;

namespace HttpResilience.Operators;

/// <summary>Something that somebody is told about.</summary>
internal sealed record IncidentModel
{
    public required Guid Id { get; init; }

    public required bool IsOpen { get; init; }

    /// <summary>A word of <see cref="Severities"/>.</summary>
    public required string Severity { get; init; }

    public required string Title { get; init; }

    public required string Detail { get; init; }

    /// <summary>The rules that have held, that which began it first.</summary>
    public required IReadOnlyList<string> Rules { get; init; }

    public string? Client { get; init; }

    public string? Host { get; init; }

    public string? Tenant { get; init; }

    public string? Subject { get; init; }

    public required DateTimeOffset BegunAt { get; init; }

    /// <summary>How many alerts were made, the one that tells the end among them.</summary>
    public required int Alerts { get; init; }

    /// <summary>When the last one was sent; null while it is not.</summary>
    public DateTimeOffset? ToldAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>The numbers of the last alert.</summary>
    public required IReadOnlyDictionary<string, double> Values { get; init; }

    /// <summary>How many instances observe it.</summary>
    public required int SeenBy { get; init; }

    public string? DeploymentVersion { get; init; }

    /// <summary>Where the API has what it is about, below its prefix; null for nothing that has an address.</summary>
    public string? About { get; init; }

    internal static IReadOnlyList<string> Severities { get; } = [.. Enum.GetValues<AlertSeverity>().Select(WordOf)];

    internal static IncidentModel Of(IncidentStatus incident)
    {
        ArgumentNullException.ThrowIfNull(incident);
        var alert = incident.Alert;
        return new()
        {
            Id = alert.Id,
            IsOpen = incident.IsOpen,
            Severity = WordOf(alert.Severity),
            Title = alert.Title,
            Detail = alert.Detail,
            Rules = [.. alert.Rules.Select(r => WordOf(r))],
            Client = alert.ClientName,
            Host = alert.Authority,
            Tenant = alert.Tenant,
            Subject = alert.Subject,
            BegunAt = alert.StartedAt,
            Alerts = alert.Count,
            ToldAt = incident.SentAt,
            EndedAt = incident.IsOpen ? null : alert.At,
            // JSON has no infinity.
            Values = alert.Values.Where(v => double.IsFinite(v.Value)).ToDictionary(),
            SeenBy = incident.SeenBy,
            DeploymentVersion = alert.DeploymentVersion,
            About = AboutOf(alert),
        };
    }

    private static string? AboutOf(Alert alert) => alert switch
    {
        { Rule: AlertRuleType.BatchStalled, Subject: { } batch } => $"batches/{Uri.EscapeDataString(batch)}",
        { Rule: AlertRuleType.DeadLetters or AlertRuleType.DeadLettersGrowing or AlertRuleType.ReplayLag } =>
            "letters?status=open" + (alert.ClientName is { } client ? $"&client={Uri.EscapeDataString(client)}" : ""),
        { ClientName: { } client } => $"clients/{Uri.EscapeDataString(client)}",
        _ => null,
    };

    private static string WordOf(AlertSeverity severity) => severity is AlertSeverity.Critical ? "critical" : "warning";

    private static string WordOf(AlertRuleType rule) =>
        string.Concat(rule.ToString().Select((c, i) => char.IsUpper(c) && i > 0 ? $"-{c}" : $"{c}")).ToLowerInvariant();
}

/// <summary>The incidents.</summary>
/// <param name="Incidents">The open ones first, critical before others, then the ended ones, the last ended first.</param>
/// <param name="Unreadable">How many cannot be read here: a newer version wrote them.</param>
/// <param name="Advice">What has to be added when there are none.</param>
internal sealed record IncidentPage(IReadOnlyList<IncidentModel> Incidents, int Unreadable, string? Advice);
