namespace HttpResilience.Operations;

/// <summary>A rule holds.</summary>
/// <param name="Title">What is wrong, in a few words.</param>
/// <param name="Detail">What is known and what to do.</param>
/// <param name="Values">The numbers behind it.</param>
internal sealed record RuleMatch(AlertRule Rule, string Title, string Detail, params IReadOnlyList<(string Name, double Value)> Values)
{
    /// <summary>When a call last failed of those that it is about; null when it is not about calls.</summary>
    internal TimeSpan? LastAt { get; init; }
}

/// <summary>What an alert is about: one alert at a time for each.</summary>
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
