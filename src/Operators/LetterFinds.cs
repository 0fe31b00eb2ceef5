namespace HttpResilience.Operators;

/// <summary>What a step of a search has found.</summary>
/// <param name="Letters">Newest first.</param>
/// <param name="Looked">How many letters were looked through.</param>
/// <param name="Before">Where the next step goes on; null when no letter is left to look through.</param>
internal sealed record LetterFinds(IReadOnlyList<DeadLetter> Letters, long Looked, Guid? Before);
