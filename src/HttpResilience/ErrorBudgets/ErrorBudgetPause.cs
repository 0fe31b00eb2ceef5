namespace HttpResilience.Storage;

/// <summary>An integration was paused or resumed.</summary>
/// <param name="ClientName">The client.</param>
/// <param name="IsPaused">True for a pause, false for a resumption.</param>
/// <param name="By">
/// The person or program that caused it; null when the error budget (<c>ErrorBudget:PauseAtBurn</c>) or its probes did.
/// </param>
/// <param name="At">The time of the change.</param>
public sealed record ErrorBudgetPause(string ClientName, bool IsPaused, string? By, DateTimeOffset At)
{
    /// <summary>Why, as the person wrote it; null when nothing was written.</summary>
    public string? Note { get; init; }
}
