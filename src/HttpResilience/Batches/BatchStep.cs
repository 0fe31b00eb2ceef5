namespace HttpResilience;

/// <summary>The processing of one record.</summary>
/// <param name="Action">Processes it.</param>
/// <param name="Settled">Called once with the failure; null for a success.</param>
internal sealed record BatchStep(Func<CancellationToken, Task> Action, Action<BatchFailure?> Settled);
