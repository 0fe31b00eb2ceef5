using System.Text.Json.Serialization;

namespace HttpResilience;

/// <summary>A filter for dead letters: all criteria that are not null must match. Newest first.</summary>
// A stored one is not to be read by a version that does not know one of the criteria.
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record DeadLetterQuery
{
    /// <summary>The status.</summary>
    public DeadLetterStatus? Status { get; init; }

    /// <summary>Those of one group, as in <see cref="DeadLetter.Fingerprint"/>.</summary>
    public string? Fingerprint { get; init; }

    /// <summary>The method of the request.</summary>
    public string? Method { get; init; }

    /// <summary>The status of the last response.</summary>
    public int? StatusCode { get; init; }

    /// <summary>
    /// A text in <see cref="DeadLetter.ErrorTitle"/> or <see cref="DeadLetter.ErrorDetail"/>; the case of the letters A to Z does not
    /// matter. Looks through all letters that the other criteria leave.
    /// </summary>
    public string? Text { get; init; }

    /// <summary>The client that sent them.</summary>
    public string? ClientName { get; init; }

    /// <summary>Scheme, host and port of their destination, as in <see cref="DeadLetter.Authority"/>.</summary>
    public string? Authority { get; init; }

    /// <summary>The tenant of the call.</summary>
    public string? Tenant { get; init; }

    /// <summary>
    /// The application whose processes send them again, as in <see cref="DeadLetter.Application"/>; empty for letters of none.
    /// </summary>
    public string? Application { get; init; }

    /// <summary>A tag of the call, with its value as text.</summary>
    public KeyValuePair<string, string>? Tag { get; init; }

    /// <summary>The failure class of the last attempt.</summary>
    public FailureClass? FailureClass { get; init; }

    /// <summary>Those that a job took last (<see cref="DeadLetter.Job"/>).</summary>
    public Guid? JobId { get; init; }

    /// <summary>Letters that first failed at this time or later.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Letters that first failed before this time.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>Letters older than the one with this id: the last one of the previous page. Null for the first page.</summary>
    public Guid? Before { get; init; }

    /// <summary>
    /// Whether the letters come without their bodies (<see cref="DeadLetter.Body"/> is null), which take the most memory. Default false.
    /// </summary>
    public bool OmitBodies { get; init; }

    /// <summary>The size of a page. 1 to 1000; default 50.</summary>
    public int Limit
    {
        get;
        init => field = value is >= 1 and <= 1000 ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, "A page has 1 to 1000 letters.");
    } = 50;
}
