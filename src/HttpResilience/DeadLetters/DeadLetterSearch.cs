namespace HttpResilience.Storage;

/// <summary>A step of a search: the letters that match among a number of letters.</summary>
/// <param name="Letters">Newest first.</param>
/// <param name="Looked">How many letters were looked through.</param>
/// <param name="Before">
/// Where the next step goes on, as <see cref="DeadLetterQuery.Before"/>; null when no letter is left to look through.
/// </param>
public sealed record DeadLetterSearch(IReadOnlyList<DeadLetter> Letters, int Looked, Guid? Before);

/// <summary>Settled letters that a purge would delete.</summary>
/// <param name="Count">How many; no more than was asked for.</param>
/// <param name="Oldest">The first failure of the oldest of them; null when there is none.</param>
public sealed record SettledLetters(long Count, DateTimeOffset? Oldest);
