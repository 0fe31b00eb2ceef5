namespace HttpResilience.Tool;

/// <summary>Whether sending a letter again may do something twice.</summary>
internal static class LetterRisk
{
    /// <inheritdoc cref="LetterJobDecision.IsUncertain"/>
    internal static bool MayBeDoneTwice(DeadLetter letter) => LetterJobDecision.IsUncertain(letter);

    /// <summary>What is known, before it is sent.</summary>
    internal static string Of(DeadLetter letter) => letter switch
    {
        { MayHaveBeenProcessed: false } => "no: it was refused or did not arrive",
        _ when LetterJobDecision.IsRepeatable(letter.Method) => $"no matter: {letter.Method} may be repeated",
        _ when MayBeDoneTwice(letter) => "perhaps: it may have been processed, and no key prevents it; look there first",
        _ => "it may have been processed; it goes out under the same key, by which the API recognises it",
    };
}
