namespace HttpResilience.Tool;

/// <summary>Whether sending a letter again may do something twice.</summary>
internal static class LetterRisk
{
    private static readonly HashSet<string> Repeatable =
        new(["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"], StringComparer.OrdinalIgnoreCase);

    /// <summary>It may have been processed, and nothing would keep the API from doing it once more.</summary>
    internal static bool MayBeDoneTwice(DeadLetter letter) => letter.MayHaveBeenProcessed && !Repeatable.Contains(letter.Method)
        && (letter.IdempotencyKey is null || letter.StopReason is StopReason.KeyExpired);

    /// <summary>What is known, before it is sent.</summary>
    internal static string Of(DeadLetter letter) => letter switch
    {
        { MayHaveBeenProcessed: false } => "no: it was refused or did not arrive",
        _ when Repeatable.Contains(letter.Method) => $"no matter: {letter.Method} may be repeated",
        _ when MayBeDoneTwice(letter) => "perhaps: it may have been processed, and no key prevents it; look there first",
        _ => "it may have been processed; it goes out under the same key, by which the API recognises it",
    };
}
