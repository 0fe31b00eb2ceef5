namespace HttpResilience;

/// <summary>A request that finally failed, with all that it takes to send it again. Secrets are not part of it.</summary>
public sealed record DeadLetter
{
    /// <summary>A UUID of version 7: later letters have greater ids (RFC 9562 §5.7).</summary>
    public required Guid Id { get; init; }

    /// <summary>The client that sent it, and sends it again.</summary>
    public required string ClientName { get; init; }

    /// <summary>The method of the request.</summary>
    public required string Method { get; init; }

    /// <summary>The absolute URI of the request, without user-info.</summary>
    public required Uri Uri { get; init; }

    /// <summary>Scheme, host and port of <see cref="Uri"/>: what circuits, pauses and limits are kept for.</summary>
    public string Authority => new HttpAuthority(Uri).ToString();

    /// <summary>
    /// The header fields of the request and its content, each value as it was sent, in order. Those that carry secrets are left out; the client's own handlers
    /// add them anew.
    /// </summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>The body; null when there was none, or when it could not be kept (<see cref="BodyIsMissing"/>).</summary>
    public ReadOnlyMemory<byte>? Body { get; init; }

    /// <summary>There was a body, but it could be read only once or was longer than <c>DeadLetter:MaxBodyBytes</c>: the request cannot be sent again as it is.</summary>
    public bool BodyIsMissing { get; init; }

    /// <summary>The key that every attempt carried and every replay carries; null when there was none.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>The application's own customer on whose behalf the call was made.</summary>
    public string? Tenant { get; init; }

    /// <summary>What the application attached to the call, as text.</summary>
    public IReadOnlyDictionary<string, string> Tags { get; init; } = System.Collections.ObjectModel.ReadOnlyDictionary<string, string>.Empty;

    /// <summary>What kind of failure the last attempt ended with.</summary>
    public required FailureClass FailureClass { get; init; }

    /// <summary>Why no further attempt was made.</summary>
    public required StopReason StopReason { get; init; }

    /// <summary>At least one attempt may have been processed by the server.</summary>
    public bool MayHaveBeenProcessed { get; init; }

    /// <summary>The status of the last response; null when there was none.</summary>
    public int? StatusCode { get; init; }

    /// <summary>The type name of the last exception; null when there was a response.</summary>
    public string? ErrorType { get; init; }

    /// <summary>What the API or the exception said: title of a problem+json (RFC 9457), else the first line. Secrets struck out.</summary>
    public string? ErrorTitle { get; init; }

    /// <summary>The detail of a problem+json.</summary>
    public string? ErrorDetail { get; init; }

    /// <summary>How many attempts went out, those of replays included.</summary>
    public int Attempts { get; init; }

    /// <summary>When it failed first.</summary>
    public required DateTimeOffset FirstFailedAt { get; init; }

    /// <summary>When it failed last.</summary>
    public required DateTimeOffset LastFailedAt { get; init; }

    /// <summary>How often it was sent again.</summary>
    public int Replays { get; init; }

    /// <summary>Where it is on its way.</summary>
    public required DeadLetterStatus Status { get; init; }

    /// <summary>
    /// <see cref="DeadLetterStatus.Pending"/>: when it is sent again. <see cref="DeadLetterStatus.InProgress"/>: when the lease of its worker ends, and another may take it.
    /// </summary>
    public required DateTimeOffset DueAt { get; init; }

    /// <summary>What a person can do about it.</summary>
    public string? SuggestedAction { get; init; }

    /// <summary>What a person did about it.</summary>
    public DeadLetterResolution? Resolution { get; init; }

    /// <summary>The letter whose place this one has taken; null when there is none.</summary>
    public Guid? Replaces { get; init; }

    /// <summary>The letter that has taken the place of this one; null when there is none.</summary>
    public Guid? ReplacedBy { get; init; }

    /// <summary>Counts the changes: a change is made only to the version that it was decided on, so that of two workers or people one wins.</summary>
    public long Version { get; init; }
}

/// <summary>What a person did about a dead letter.</summary>
/// <param name="Action">What was done, in a word or two.</param>
/// <param name="Notes">Anything worth keeping; null when there is nothing.</param>
/// <param name="By">Who did it.</param>
/// <param name="At">When.</param>
public sealed record DeadLetterResolution(string Action, string? Notes, string By, DateTimeOffset At);
