using System.Globalization;

namespace HttpResilience;

/// <summary>
/// Nothing was sent: the integration is paused, because its error budget is used up (<c>ErrorBudget:PauseAtBurn</c>) or somebody has paused it
/// (<see cref="IErrorBudgets"/>). An <see cref="HttpRequestException"/>, so what already handles a failed call handles this.
/// </summary>
public sealed class IntegrationPausedException : HttpRequestException
{
    /// <summary>Makes the exception.</summary>
    /// <param name="clientName">The client that is paused.</param>
    /// <param name="since">Since when it is.</param>
    /// <param name="retryAfter">Until a call is let through as a probe; null when none will be.</param>
    public IntegrationPausedException(string clientName, DateTimeOffset since, TimeSpan? retryAfter)
        : base(string.Create(CultureInfo.InvariantCulture, $"Client '{clientName}' is paused since {since:u}: nothing is sent {(retryAfter is { } wait
            ? string.Create(CultureInfo.InvariantCulture, $"but a probe, the next in {wait.TotalSeconds:0.0} s at the earliest.") : "until somebody resumes it.")}"))
    {
        ClientName = clientName;
        Since = since;
        RetryAfter = retryAfter;
    }

    /// <summary>The client that is paused.</summary>
    public string ClientName { get; }

    /// <summary>Since when it is.</summary>
    public DateTimeOffset Since { get; }

    /// <summary>Until a call is let through as a probe, at the earliest; null when somebody has paused it, and has to resume it.</summary>
    public TimeSpan? RetryAfter { get; }
}
