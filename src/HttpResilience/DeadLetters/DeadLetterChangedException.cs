namespace HttpResilience.Storage;

/// <summary>The letter is no longer at the version that a change expected (<see cref="DeadLetter.Version"/>). It was not changed.</summary>
/// <param name="letter">The letter as it is now.</param>
public sealed class DeadLetterChangedException(DeadLetter letter) : InvalidOperationException(Describe(letter))
{
    /// <summary>The letter as it is now: its status and resolution say what was done, by whom and when.</summary>
    public DeadLetter Letter { get; } = letter;

    private static string Describe(DeadLetter letter)
    {
        ArgumentNullException.ThrowIfNull(letter);
        string done = letter.Resolution is { } r ? $"; {r.By} did '{r.Action}' at {r.At:u}" : "";
        return $"Dead letter {letter.Id} has changed: it is {letter.Status} now, in version {letter.Version}{done}.";
    }
}
