namespace HttpResilience.Testing;

/// <summary>
/// Letters, claims and queries in the form in which every store holds them: whole microseconds, text without NUL, copied bytes.
/// </summary>
internal static class InMemoryLetter
{
    internal static DeadLetter Normalize(DeadLetter letter) => Change(letter, letter) with
    {
        Application = StoredText.Storable(letter.Application)!,
        ClientName = StoredText.Storable(letter.ClientName)!,
        OriginalUri = StoredText.Storable(letter.OriginalUri),
        IdempotencyHeaderName = StoredText.Storable(letter.IdempotencyHeaderName),
        FirstFailedAt = StoredTime.Cut(letter.FirstFailedAt),
        IdempotencyKey = StoredText.Storable(letter.IdempotencyKey),
        Tenant = StoredText.Storable(letter.Tenant),
        Tags = StoredJson.Map(StoredJson.Map(letter.Tags)),
        LeftOut = [.. letter.LeftOut.Select(name => StoredText.Storable(name)!)],
        ProtectedWith = StoredText.Storable(StoredJson.KeyOf(letter)),
        KeyIsMissing = false,
        Headers = StoredJson.Pairs(StoredJson.Pairs(letter.Headers)),
        Body = letter.Body is { } body ? body.ToArray() : default(ReadOnlyMemory<byte>?),
        Version = letter.Version,
        Fingerprint = letter.Fingerprint,
    };

    /// <summary>
    /// The letter in its changed state. The request (client, method, URI, header fields, body, key, tenant, tags) never changes.
    /// </summary>
    internal static DeadLetter Change(DeadLetter stored, DeadLetter changed) => stored with
    {
        Version = stored.Version + 1,
        Status = changed.Status,
        DueAt = StoredTime.Cut(changed.DueAt),
        FailureClass = changed.FailureClass,
        StopReason = changed.StopReason,
        MayHaveBeenProcessed = changed.MayHaveBeenProcessed,
        StatusCode = changed.StatusCode,
        ErrorType = StoredText.Storable(changed.ErrorType),
        ErrorTitle = StoredText.Storable(changed.ErrorTitle),
        ErrorDetail = StoredText.Storable(changed.ErrorDetail),
        Attempts = changed.Attempts,
        Replays = changed.Replays,
        Takeovers = changed.Takeovers,
        LastFailedAt = StoredTime.Cut(changed.LastFailedAt),
        SuggestedAction = StoredText.Storable(changed.SuggestedAction),
        Resolution = changed.Resolution is { } r
            ? new(StoredText.Storable(r.Action)!, StoredText.Storable(r.Notes), StoredText.Storable(r.By)!, StoredTime.Cut(r.At))
            : null,
        ReplacedBy = changed.ReplacedBy,
        History = changed.History is [{ Kind: LetterEventKind.Failed }] ? null : StoredJson.History(StoredJson.History(changed.History)),
        Job = changed.Job is { } job ? job with { EndedAt = job.EndedAt is { } ended ? StoredTime.Cut(ended) : null } : null,
        // Last: it is kept for what the letter has by now.
        Fingerprint = changed.Fingerprint,
    };

    /// <summary>
    /// The letter in progress. The worker of an expired lease may have sent it, and a resolution applied to that time only.
    /// </summary>
    internal static DeadLetter Claim(DeadLetter letter, DateTimeOffset leaseUntil)
    {
        bool leaseExpired = letter.Status is DeadLetterStatus.InProgress;
        return letter with
        {
            Status = DeadLetterStatus.InProgress,
            DueAt = StoredTime.Cut(leaseUntil),
            MayHaveBeenProcessed = letter.MayHaveBeenProcessed || leaseExpired,
            Resolution = leaseExpired ? null : letter.Resolution,
            Takeovers = letter.Takeovers + (leaseExpired && letter.Takeovers < 2 ? 1 : 0),
            Replays = letter.Replays + (leaseExpired ? 1 : 0),
            Version = letter.Version + 1,
        };
    }

    internal static DeadLetterClaim Normalize(DeadLetterClaim claim) => claim with
    {
        Applications = [.. claim.Applications.Select(a => StoredText.Storable(a)!)],
        Clients = [.. claim.Clients.Select(c => StoredText.Storable(c)!)],
        Except = [.. claim.Except.Select(Normalize)],
        Only = claim.Only is { } only ? Normalize(only) : null,
        Now = StoredTime.Cut(claim.Now),
    };

    /// <summary>The later of its last failure and the time at which it was settled; null when it is not.</summary>
    internal static DateTimeOffset? SettledAt(DeadLetter letter)
    {
        DateTimeOffset? at = letter.Status switch
        {
            DeadLetterStatus.Replayed => letter.DueAt,
            DeadLetterStatus.Resolved or DeadLetterStatus.Resubmitted => letter.Resolution?.At ?? letter.LastFailedAt,
            _ => null,
        };
        return at < letter.LastFailedAt ? letter.LastFailedAt : at;
    }

    internal static bool WaitsForKey(DeadLetter letter) => letter is { Status: DeadLetterStatus.RequiresReview, ProtectedWith: { } keyId }
        && letter.SuggestedAction == LetterKeyMissingException.ActionOf(keyId);

    internal static bool IsOpen(DeadLetter letter) =>
        letter.Status is DeadLetterStatus.Pending or DeadLetterStatus.InProgress or DeadLetterStatus.RequiresReview;

    /// <summary>The group of letters with one fingerprint.</summary>
    internal static CountedGroup Group(IGrouping<string, DeadLetter> letters) => new(
        letters.Key, letters.Max(l => l.Id), letters.Count(l => l.Status is DeadLetterStatus.Pending),
        letters.Count(l => l.Status is DeadLetterStatus.InProgress), letters.Count(l => l.Status is DeadLetterStatus.RequiresReview),
        letters.Min(l => l.FirstFailedAt), letters.Max(l => l.LastFailedAt));

    internal static Func<DeadLetter, bool> Filter(DeadLetterQuery query)
    {
        var (client, tenant) = (StoredText.Storable(query.ClientName), StoredText.Storable(query.Tenant));
        return letter =>
            (query.Status is not { } status || letter.Status == status)
            && (query.Fingerprint is null || letter.Fingerprint == query.Fingerprint)
            && (query.Method is null || letter.Method == StoredText.Storable(query.Method))
            && (query.StatusCode is null || letter.StatusCode == query.StatusCode)
            && (query.Text is null || $"{letter.ErrorTitle}\n{letter.ErrorDetail}".ToAsciiLower().Contains(
                StoredText.Storable(query.Text)!.ToAsciiLower(), StringComparison.Ordinal))
            && (client is null || letter.ClientName == client)
            && (query.Authority is null || letter.Authority == query.Authority)
            && (tenant is null || letter.Tenant == tenant)
            && (query.Application is null || letter.Application == StoredText.Storable(query.Application))
            && (query.Tag is not { } tag || (letter.Tags.TryGetValue(tag.Key, out string? value) && value == tag.Value))
            && (query.FailureClass is not { } failureClass || letter.FailureClass == failureClass)
            && (query.JobId is not { } job || letter.Job?.Id == job)
            && (query.Since is not { } since || letter.FirstFailedAt >= StoredTime.Cut(since))
            && (query.Until is not { } until || letter.FirstFailedAt < StoredTime.Cut(until))
            && (query.Before is not { } before || letter.Id.CompareTo(before) < 0);
    }

    private static string ToAsciiLower(this string text) => string.Create(text.Length, text, (lower, t) =>
    {
        for (int i = 0; i < t.Length; i++)
            lower[i] = char.IsAsciiLetterUpper(t[i]) ? (char)(t[i] + ' ') : t[i];
    });

    private static DeadLetterDestination Normalize(DeadLetterDestination destination) =>
        destination with { ClientName = StoredText.Storable(destination.ClientName)! };
}
