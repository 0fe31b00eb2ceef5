namespace HttpResilience.Storage;

/// <summary>Dead letters that no live process will replay: see <see cref="IDeadLetterReview.UnreplayedAsync"/>.</summary>
/// <param name="Application">The application whose letters they are; empty when the store has not recorded it.</param>
/// <param name="ClientName">
/// The client, missing in every live process that replays the application's letters; null when there is no such process.
/// </param>
/// <param name="DueAt">The earliest due time of them.</param>
public sealed record UnreplayedLetters(string Application, string? ClientName, DateTimeOffset DueAt)
{
    /// <summary>
    /// The host of letters that this process leaves to another one, because its client of that name has another base address, and that no
    /// process has claimed. Null for the other reasons.
    /// </summary>
    public string? Authority { get; init; }
}
