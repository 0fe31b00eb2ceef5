namespace HttpResilience.Operations;

/// <summary>
/// The error budgets of all clients, for operators: to look at, to pause integrations and to resume them by hand. Take it from the
/// container. What has been counted, and pauses, outlive the process with <c>AddHttpResilienceStorage</c>; other processes on the same
/// store hear of a pause within 10 seconds.
/// </summary>
public interface IErrorBudgets
{
    /// <summary>The budgets of the clients that have been used, or are known by name and the host has started.</summary>
    IReadOnlyList<ErrorBudgetStatus> List();

    /// <summary>
    /// Pauses an integration: its calls fail with <see cref="IntegrationPausedException"/>, and nothing is sent, no probe either, until
    /// <see cref="ResumeAsync"/>. One that is paused already stays as it is, unless the budget did it: from now on it is the person's,
    /// and no probe ends it.
    /// </summary>
    /// <param name="clientName">The client.</param>
    /// <param name="by">Who says so.</param>
    /// <param name="cancellationToken">Ends the wait for the store.</param>
    /// <exception cref="ArgumentException">There is no such client, or <paramref name="by"/> is empty.</exception>
    /// <exception cref="HttpResilienceStorageException">
    /// It holds in this process, but could not be kept: other processes do not know of it yet. That is tried again every 10 seconds.
    /// </exception>
    Task PauseAsync(string clientName, string by, CancellationToken cancellationToken = default);

    /// <summary>
    /// Resumes an integration, whether the budget or a person paused it. Only calls that fail after this can pause it again.
    /// </summary>
    /// <inheritdoc cref="PauseAsync"/>
    Task ResumeAsync(string clientName, string by, CancellationToken cancellationToken = default);
}

/// <summary>The error budget of one client.</summary>
public sealed record ErrorBudgetStatus
{
    /// <summary>The client.</summary>
    public required string ClientName { get; init; }

    /// <summary>Which part of the calls must be answered.</summary>
    public required double Objective { get; init; }

    /// <summary>The time over which that holds.</summary>
    public required TimeSpan Window { get; init; }

    /// <summary>The calls that were counted in it.</summary>
    public required long Calls { get; init; }

    /// <summary>Those of them that failed.</summary>
    public required long Failures { get; init; }

    /// <summary>Which part of the budget is used up, as of the calls seen so far; 1 is all of it, and it can be more.</summary>
    public required double Burn { get; init; }

    /// <summary>Which part of it is left: from 1 to 0.</summary>
    public double Remaining => Math.Max(0, 1 - Burn);

    /// <summary>How many times faster than allowed calls fail, over 5 and 30 minutes, 1 and 6 hours, and 3 days.</summary>
    public required IReadOnlyList<BurnRateOver> BurnRates { get; init; }

    /// <summary>How much that is.</summary>
    public required ErrorBudgetState State { get; init; }

    /// <summary>
    /// It burns so fast, over a long and a short window, that it will not last: 14.4 times over 1 h and 5 min, 6 times over 6 h and 30
    /// min, or once over 3 d and 6 h.
    /// </summary>
    public required bool IsBurning { get; init; }

    /// <summary>Since when the integration is paused; null when it is not.</summary>
    public DateTimeOffset? PausedSince { get; init; }

    /// <summary>Who has paused it; null when it is not paused, or the budget did it.</summary>
    public string? PausedBy { get; init; }
}

/// <summary>How many times faster than allowed calls fail.</summary>
/// <param name="Window">Over what time.</param>
/// <param name="Rate">At 1 the budget lasts as long as its window; 0 when there were no calls.</param>
public sealed record BurnRateOver(TimeSpan Window, double Rate);
