namespace HttpResilience;

/// <summary>One record as the run sees it.</summary>
/// <param name="Action">What is done with it.</param>
/// <param name="Settled">Told once what came of it: null for a success.</param>
internal sealed record BatchStep(Func<CancellationToken, Task> Action, Action<BatchFailure?> Settled);
