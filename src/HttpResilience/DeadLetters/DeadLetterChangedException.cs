namespace HttpResilience.Storage;

/// <summary>
/// A letter was changed by somebody else since the version that a change was meant for (<see cref="DeadLetter.Version"/>): nothing was
/// changed.
/// </summary>
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
