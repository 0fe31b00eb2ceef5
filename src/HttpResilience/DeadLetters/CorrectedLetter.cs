namespace HttpResilience;

/// <summary>The letter that takes the place of one whose data were corrected: another operation, with a new key.</summary>
internal static class CorrectedLetter
{
    /// <param name="letter">The letter as it is stored.</param>
    /// <param name="corrected">The same with other data; other changes are ignored.</param>
    /// <exception cref="ArgumentException">The corrected letter cannot be sent.</exception>
    internal static DeadLetter Of(DeadLetter letter, DeadLetter corrected, DateTimeOffset now)
    {
        if (!HttpAuthority.IsHttp(corrected.Uri))
            throw new ArgumentException("The corrected URI is not an absolute http or https URI.", nameof(corrected));
        if (!HttpToken.IsValid(corrected.Method))
            throw new ArgumentException($"'{corrected.Method}' is not an HTTP method.", nameof(corrected));
        if (letter.BodyIsMissing && corrected.Body is null)
            throw new ArgumentException("The body of this letter is not stored; the corrected letter needs one.", nameof(corrected));

        bool isSameUri = corrected.Uri.AbsoluteUri == letter.Uri.AbsoluteUri;
        var leftOut = LeftOutRules.OfCorrected(corrected);
        var (uri, originalUri) = isSameUri ? (letter.Uri, corrected.OriginalUri) : LetterUri.Of(corrected.Uri, leftOut);
        string? key = letter.IdempotencyKey is null ? null : IdempotencyKey.Create();
        var replacement = letter with
        {
            Id = Guid.CreateVersion7(now),
            Method = corrected.Method,
            Uri = uri,
            OriginalUri = originalUri,
            Headers = LetterKey.Renew(
                [.. HeadersFor(uri, letter, corrected).Where(h => !LeftOutRules.IsHeader(h.Key, leftOut))], letter, key),
            LeftOut = leftOut,
            Body = corrected.Body,
            BodyIsMissing = false,
            IdempotencyKey = key,
            // The corrected letter is another operation than the one sent before.
            MayHaveBeenProcessed = false,
            Attempts = 0,
            Replays = 0,
            Takeovers = 0,
            FirstFailedAt = now,
            Status = DeadLetterStatus.Pending,
            DueAt = now,
            Replaces = letter.Id,
            Resolution = null,
            SuggestedAction = null,
            Job = null,
            History = null,
            Version = 0,
        };
        return DeadLetterRequestRules.ProblemOf(replacement) is { } problem
            ? throw new ArgumentException($"The corrected letter cannot be sent: {problem}.", nameof(corrected)) : replacement;
    }

    // A virtual host belongs to the host that was asked, unless it was corrected with the URI.
    private static IReadOnlyList<KeyValuePair<string, string>> HeadersFor(Uri uri, DeadLetter letter, DeadLetter corrected) =>
        new HttpAuthority(uri).Equals(new HttpAuthority(letter.Uri)) ? corrected.Headers
            : [.. corrected.Headers.Where(h => !DeadLetterRequest.IsHost(h.Key) || !letter.Headers.Contains(h))];
}
