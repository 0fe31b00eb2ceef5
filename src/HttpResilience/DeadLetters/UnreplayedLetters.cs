namespace HttpResilience.Storage;

/// <summary>Dead letters that no live process will replay: see <see cref="IDeadLetterReview.UnreplayedAsync"/>.</summary>
/// <param name="Application">The application whose letters they are; empty when the store has not recorded it.</param>
/// <param name="ClientName">
/// The client that no live process which replays the application's letters has; null when there is no such process at all.
/// </param>
/// <param name="DueAt">The earliest due time of them.</param>
public sealed record UnreplayedLetters(string Application, string? ClientName, DateTimeOffset DueAt);
