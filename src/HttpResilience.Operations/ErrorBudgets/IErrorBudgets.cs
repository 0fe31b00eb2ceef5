namespace HttpResilience.Operations;

/// <summary>
/// The error budgets of all clients, for operators: to read them, and to pause and resume integrations. Registered in the container. With
/// <c>AddHttpResilienceStorage</c>, counts and pauses outlive the process; other processes on the same store apply a pause within 10
/// seconds.
/// </summary>
public interface IErrorBudgets
{
    /// <summary>The budgets of the clients that have been used, or are known by name and the host has started.</summary>
    IReadOnlyList<ErrorBudgetStatus> List();

    /// <summary>
    /// Pauses an integration: its calls fail with <see cref="IntegrationPausedException"/>, and nothing is sent, no probe either, until
    /// <see cref="ResumeAsync(string, string, CancellationToken)"/>. A pause by the budget becomes the operator's, and no probe ends it; a
    /// pause by an operator stays as it is.
    /// </summary>
    /// <param name="clientName">The client.</param>
    /// <param name="by">The operator.</param>
    /// <param name="cancellationToken">Ends the wait for the store.</param>
    /// <exception cref="ArgumentException">There is no such client, or <paramref name="by"/> is empty.</exception>
    /// <exception cref="HttpResilienceStorageException">
    /// The change applies in this process, but could not be stored for other processes; storing it is retried every 10 seconds.
    /// </exception>
    Task PauseAsync(string clientName, string by, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="PauseAsync(string, string, CancellationToken)"/>
    /// <param name="clientName">The client.</param>
    /// <param name="by">The operator.</param>
    /// <param name="note">Why; null for no note. It is stored with the pause and in the activity.</param>
    /// <param name="cancellationToken">Ends the wait for the store.</param>
    Task PauseAsync(string clientName, string by, string? note, CancellationToken cancellationToken);

    /// <summary>
    /// Resumes an integration, whether the budget or a person paused it. Only calls that fail after this can pause it again.
    /// </summary>
    /// <inheritdoc cref="PauseAsync(string, string, CancellationToken)"/>
    Task ResumeAsync(string clientName, string by, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="ResumeAsync(string, string, CancellationToken)"/>
    /// <param name="clientName">The client.</param>
    /// <param name="by">The operator.</param>
    /// <param name="note">Why; null for no note. It is stored with the change and in the activity.</param>
    /// <param name="cancellationToken">Ends the wait for the store.</param>
    Task ResumeAsync(string clientName, string by, string? note, CancellationToken cancellationToken);
}

/// <summary>The error budget of one client.</summary>
public sealed record ErrorBudgetStatus
{
    /// <summary>The client.</summary>
    public required string ClientName { get; init; }

    /// <summary>The share of calls that must not fail.</summary>
    public required double Objective { get; init; }

    /// <summary>The time over which the objective holds.</summary>
    public required TimeSpan Window { get; init; }

    /// <summary>The calls that were counted in it.</summary>
    public required long Calls { get; init; }

    /// <summary>Those of them that failed.</summary>
    public required long Failures { get; init; }

    /// <summary>The share of the budget that is spent, by the calls seen so far; 1 is all of it, and it can be more.</summary>
    public required double Burn { get; init; }

    /// <summary>The share of the budget that is left: from 1 to 0.</summary>
    public double Remaining => Math.Max(0, 1 - Burn);

    /// <summary>How many times faster than allowed calls fail, over 5 and 30 minutes, 1 and 6 hours, and 3 days.</summary>
    public required IReadOnlyList<BurnRateOver> BurnRates { get; init; }

    /// <summary>The state of the budget.</summary>
    public required ErrorBudgetState State { get; init; }

    /// <summary>
    /// It burns so fast, over a long and a short window, that it will not last: 14.4 times over 1 h and 5 min, 6 times over 6 h and 30
    /// min, or once over 3 d and 6 h.
    /// </summary>
    public required bool IsBurning { get; init; }

    /// <summary>Since when the integration is paused; null when it is not.</summary>
    public DateTimeOffset? PausedSince { get; init; }

    /// <summary>The operator that paused the integration; null when it is not paused, or was paused by the budget.</summary>
    public string? PausedBy { get; init; }

    /// <summary>Why, as that operator wrote it; null when nothing was written.</summary>
    public string? PausedNote { get; init; }
}

/// <summary>How many times faster than allowed calls fail.</summary>
/// <param name="Window">Over what time.</param>
/// <param name="Rate">At 1 the budget lasts as long as its window; 0 when there were no calls.</param>
public sealed record BurnRateOver(TimeSpan Window, double Rate);
