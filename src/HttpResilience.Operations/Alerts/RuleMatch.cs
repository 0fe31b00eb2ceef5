namespace HttpResilience.Operations;

/// <summary>A rule holds.</summary>
/// <param name="Title">The problem, in a few words.</param>
/// <param name="Detail">The details and the action to take.</param>
/// <param name="Values">The numbers behind it.</param>
internal sealed record RuleMatch(AlertRule Rule, string Title, string Detail, params IReadOnlyList<(string Name, double Value)> Values)
{
    /// <summary>When a call last failed of those that it is about; null when it is not about calls.</summary>
    internal TimeSpan? LastAt { get; init; }
}

/// <summary>The subject of an alert; each has one alert at a time.</summary>
internal sealed record IncidentKey(AlertTopic Topic, string? Client = null, string? Authority = null, string? Tenant = null,
    string? Subject = null);

/// <summary>Rules of one topic are one alert: an outage breaks several of them.</summary>
internal enum AlertTopic
{
    Calls,
    ErrorClass,
    DeadLetters,
    Batch,
    ErrorBudget,
    SpentBudget,
    Pause,
    Storage,
}
