namespace HttpResilience.Operations;

/// <summary>A notification for the person on call: a problem has started, still holds, or is over.</summary>
public sealed record Alert
{
    /// <summary>The same for the start, the reminders and the end of one thing. A UUID of version 7 (RFC 9562 §5.7).</summary>
    public required Guid Id { get; init; }

    /// <summary>The rule that began it.</summary>
    public required AlertRuleType Rule { get; init; }

    /// <summary>All rules that have held since it began, <see cref="Rule"/> first: an outage breaks several and is one alert.</summary>
    public required IReadOnlyList<AlertRuleType> Rules { get; init; }

    /// <summary>The phase: started, reminder or ended.</summary>
    public required AlertPhase Phase { get; init; }

    /// <summary>How urgent it is: the greatest of its rules.</summary>
    public required AlertSeverity Severity { get; init; }

    /// <summary>The client whose calls it is about; null when it is about none.</summary>
    public string? ClientName { get; init; }

    /// <summary>Scheme, host and port that the calls go to; null when it is not about a host.</summary>
    public string? Authority { get; init; }

    /// <summary>The tenant that fails while others succeed; null when it is not about one.</summary>
    public string? Tenant { get; init; }

    /// <summary>The batch or the failure class that it is about; null when it is about neither.</summary>
    public string? Subject { get; init; }

    /// <summary>The problem, in a few words on one line.</summary>
    public required string Title { get; init; }

    /// <summary>The details and the action to take, on one line.</summary>
    public required string Detail { get; init; }

    /// <summary>When it began.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>When this notification was made.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The number of this notification of the alert; the first is 1.</summary>
    public required int Count { get; init; }

    /// <summary>The numbers behind it, such as <c>failuresInARow</c>.</summary>
    public IReadOnlyDictionary<string, double> Values { get; init; } =
        System.Collections.ObjectModel.ReadOnlyDictionary<string, double>.Empty;

    /// <summary>The version of the application that sends it: <c>Alerts:DeploymentVersion</c>, else its informational version.</summary>
    public string? DeploymentVersion { get; init; }
}

/// <summary>The phase of an alert.</summary>
public enum AlertPhase
{
    /// <summary>It begins.</summary>
    Started,

    /// <summary>It still holds after <see cref="AlertRuleOptions.CoolDown"/>, or has become more severe.</summary>
    Reminder,

    /// <summary>It is over.</summary>
    Ended,
}

/// <summary>How urgent an alert is.</summary>
public enum AlertSeverity
{
    /// <summary>Needs attention today.</summary>
    Warning,

    /// <summary>Needs attention now.</summary>
    Critical,
}

/// <summary>
/// Receives alerts. Register any number in the container, as singletons. Each is called separately, one alert after the other, outside of
/// calls: a slow or failing sink delays neither calls nor other sinks. When it throws, the alert is sent again a few times.
/// </summary>
public interface IAlertSink
{
    /// <summary>Takes an alert.</summary>
    /// <param name="alert">The alert.</param>
    /// <param name="cancellationToken">Ends when the sink has taken a minute, or the host stops.</param>
    Task SendAsync(Alert alert, CancellationToken cancellationToken);
}
