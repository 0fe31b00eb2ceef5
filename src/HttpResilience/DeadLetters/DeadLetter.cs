using System.Collections.ObjectModel;
using System.Diagnostics.CodeAnalysis;

namespace HttpResilience;

/// <summary>A request that finally failed, with everything needed to send it again. Secrets are not part of it.</summary>
public sealed record DeadLetter
{
    // The rest of a row, the brackets and quotes of a field, and the names, times and ids of an event.
    private const int FixedBytes = 1024, FixedBytesPerField = 8, FixedBytesPerEvent = 128;

    private KnownFingerprint _fingerprint;
    private IReadOnlyList<LetterEvent>? _history;

    /// <summary>A UUID of version 7: later letters have greater ids (RFC 9562 §5.7).</summary>
    public required Guid Id { get; init; }

    /// <summary>
    /// The application whose processes send it again; a store sets its own where it is empty. Letters from before there were applications
    /// stay empty and belong to all.
    /// </summary>
    public string Application { get; init; } = "";

    /// <summary>The name of the client that sent it and sends it again.</summary>
    public required string ClientName { get; init; }

    /// <summary>The method of the request.</summary>
    public required string Method { get; init; }

    /// <summary>The absolute URI of the request, without user-info.</summary>
    public required Uri Uri { get; init; }

    /// <summary>
    /// The characters of the URI as they were sent, where <see cref="Uri"/> changes them (such as <c>/a%2Fb/../~d</c>); null where it does
    /// not.
    /// </summary>
    public string? OriginalUri { get; init; }

    /// <summary>The HTTP version of the request; null in letters from before it was stored: the client's own.</summary>
    public Version? HttpVersion { get; init; }

    /// <summary>The policy of <see cref="HttpVersion"/>.</summary>
    public HttpVersionPolicy? HttpVersionPolicy { get; init; }

    /// <summary>Scheme, host and port of <see cref="Uri"/>: the key of circuits, pauses and limits.</summary>
    public string Authority => new HttpAuthority(Uri).ToString();

    /// <summary>
    /// The header fields of the request and its content, each value as it was sent, in order. Fields that carry secrets are omitted; the
    /// client's own handlers add them again.
    /// </summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>
    /// The names of the header fields and, with a leading <c>?</c>, of the query parameters that were left out because they carry secrets.
    /// Default: none.
    /// </summary>
    public IReadOnlyList<string> LeftOut { get; init; } = [];

    /// <summary>
    /// The id of the key that protects the body, the header fields and the query of this letter in the store. Empty: the store is to
    /// protect it with its current key. Null: they are stored in clear. Default null.
    /// </summary>
    public string? ProtectedWith { get; init; }

    /// <summary>
    /// The key of <see cref="ProtectedWith"/> is missing in this process, so this letter comes without its body, header fields and query.
    /// Not stored.
    /// </summary>
    public bool KeyIsMissing { get; init; }

    /// <summary>The body; null when there was none, or when it could not be stored (<see cref="BodyIsMissing"/>).</summary>
    public ReadOnlyMemory<byte>? Body { get; init; }

    /// <summary>
    /// About the bytes of the letter in memory: its body, its header fields and its history as stored, and 1 KiB for the rest.
    /// </summary>
    public long Size => FixedBytes + (Body?.Length ?? 0) + Headers.Sum(h => FixedBytesPerField + h.Key.Length + h.Value.Length)
        + (_history?.Sum(SizeOf) ?? 0);

    private static int SizeOf(LetterEvent happened) => FixedBytesPerEvent + (happened.By?.Length ?? 0) + (happened.Instance?.Length ?? 0)
        + (happened.Title?.Length ?? 0) + (happened.Notes?.Length ?? 0) + (happened.Was?.SuggestedAction?.Length ?? 0);

    /// <summary>
    /// The body could be read only once, or was longer than <c>DeadLetter:MaxBodyBytes</c>: the request cannot be sent again unchanged.
    /// </summary>
    public bool BodyIsMissing { get; init; }

    /// <summary>The key of every attempt and every replay; null when there is none.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>The header field of the key; null when there is no key, and in letters from before it was stored.</summary>
    public string? IdempotencyHeaderName { get; init; }

    /// <summary>The application's own customer on whose behalf the call was made.</summary>
    public string? Tenant { get; init; }

    /// <summary>The tags that the application attached to the call, as text.</summary>
    public IReadOnlyDictionary<string, string> Tags { get; init; } = ReadOnlyDictionary<string, string>.Empty;

    /// <summary>The failure class of the last attempt.</summary>
    public required FailureClass FailureClass { get; init; }

    /// <summary>The reason why no further attempt was made.</summary>
    public required StopReason StopReason { get; init; }

    /// <summary>The server may have processed at least one attempt.</summary>
    public bool MayHaveBeenProcessed { get; init; }

    /// <summary>The status of the last response; null when there was none.</summary>
    public int? StatusCode { get; init; }

    /// <summary>The type name of the last exception; null when there was a response.</summary>
    public string? ErrorType { get; init; }

    /// <summary>
    /// The error text of the API or the exception: title of a problem+json (RFC 9457), else the first line. Secrets are replaced.
    /// </summary>
    public string? ErrorTitle { get; init; }

    /// <summary>The detail of a problem+json.</summary>
    public string? ErrorDetail { get; init; }

    /// <summary>
    /// The path with <c>{id}</c> in the place of each segment that names one resource, or the tag <c>url.template</c>.
    /// </summary>
    public string Route => LetterCause.RouteOf(this);

    /// <summary>The reason in words, with <c>#</c> in the place of what differs from letter to letter: ids, numbers, dates.</summary>
    public string Title => LetterCause.TitleOf(this);

    /// <summary>
    /// The group of the letter: letters of one client, method, route, class, status (or exception) and title have the same. 24 hexadecimal
    /// digits. A store sets what it has kept, or null, after everything else.
    /// </summary>
    [AllowNull]
    public string Fingerprint
    {
        get => _fingerprint.Of(this) ?? LetterCause.FingerprintOf(this);
        init => _fingerprint = value is null ? default : new(value, this);
    }

    /// <summary>The number of attempts sent, including those of replays.</summary>
    public int Attempts { get; init; }

    /// <summary>The time of the first failure.</summary>
    public required DateTimeOffset FirstFailedAt { get; init; }

    /// <summary>The time of the last failure.</summary>
    public required DateTimeOffset LastFailedAt { get; init; }

    /// <summary>The number of replays.</summary>
    public int Replays { get; init; }

    /// <summary>
    /// The number of leases in a row that ended without a result of the worker: sending this letter may end the process. The third counts
    /// from the beginning of its sending, so that no letter reaches it by waiting beside another.
    /// </summary>
    public int Takeovers { get; init; }

    /// <summary>The status.</summary>
    public required DeadLetterStatus Status { get; init; }

    /// <summary>
    /// <see cref="DeadLetterStatus.Pending"/>: the time of the next replay. <see cref="DeadLetterStatus.InProgress"/>: the end of its
    /// worker's lease, after which another worker may claim it.
    /// </summary>
    public required DateTimeOffset DueAt { get; init; }

    /// <summary>The suggested action for a person; null when none is needed.</summary>
    public string? SuggestedAction { get; init; }

    /// <summary>The action that a person took; null when none was.</summary>
    public DeadLetterResolution? Resolution { get; init; }

    /// <summary>The id of the letter that this one replaces; null when there is none.</summary>
    public Guid? Replaces { get; init; }

    /// <summary>The id of the letter that replaces this one; null when there is none.</summary>
    public Guid? ReplacedBy { get; init; }

    /// <summary>
    /// What happened to the letter, the oldest first: the first 10 and the last 90 events. It begins with the failure, or with the
    /// correction that it is.
    /// </summary>
    [AllowNull]
    public IReadOnlyList<LetterEvent> History
    {
        get => _history ?? LetterHistory.UnwrittenOf(this);
        init => _history = value is { Count: > 0 } ? value : null;
    }

    /// <summary>The last job that took it; null when none did.</summary>
    public LetterJobPart? Job { get; init; }

    /// <summary>The number of changes. A change applies only to the version it was based on: of two concurrent changes one wins.</summary>
    public long Version { get; init; }
}

/// <summary>The action that a person took on a dead letter.</summary>
/// <param name="Action">The action, in a word or two.</param>
/// <param name="Notes">Free text; null when there is none.</param>
/// <param name="By">The person.</param>
/// <param name="At">The time.</param>
public sealed record DeadLetterResolution(string Action, string? Notes, string By, DateTimeOffset At);

/// <summary>
/// The fingerprint that a store has kept, as long as what it was made from is unchanged: a replay that succeeds need not make it anew. All
/// are equal, so that it does not count in a comparison of letters.
/// </summary>
internal readonly struct KnownFingerprint(string value, DeadLetter letter) : IEquatable<KnownFingerprint>
{
    private readonly (string, string, FailureClass, int?, string?, string?) _cause = CauseOf(letter);
    private readonly (Uri Uri, object Tags) _route = (letter.Uri, letter.Tags);

    // A letter that was accepted stays in its group: the status of the success is no cause.
    internal string? Of(DeadLetter changed) =>
        value is not null && ReferenceEquals(_route.Uri, changed.Uri) && ReferenceEquals(_route.Tags, changed.Tags)
            && (changed.Status is DeadLetterStatus.Replayed || _cause == CauseOf(changed)) ? value : null;

    public bool Equals(KnownFingerprint other) => true;

    public override bool Equals(object? obj) => obj is KnownFingerprint;

    public override int GetHashCode() => 0;

    private static (string, string, FailureClass, int?, string?, string?) CauseOf(DeadLetter letter) =>
        (letter.ClientName, letter.Method, letter.FailureClass, letter.StatusCode, letter.ErrorType, letter.ErrorTitle);
}
