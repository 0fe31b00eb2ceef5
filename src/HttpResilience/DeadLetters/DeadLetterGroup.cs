namespace HttpResilience.Storage;

/// <summary>Open letters of one cause.</summary>
/// <param name="Fingerprint">The group, as in <see cref="DeadLetter.Fingerprint"/>; empty for other reasons.</param>
/// <param name="Newest">The newest of its letters, without body.</param>
/// <param name="Pending">How many are sent again by themselves.</param>
/// <param name="InProgress">How many are being sent.</param>
/// <param name="RequiresReview">How many need a person.</param>
/// <param name="FirstFailedAt">The first failure of the longest kept one.</param>
/// <param name="LastFailedAt">The last failure of any of them.</param>
public sealed record DeadLetterGroup(
    string Fingerprint, DeadLetter Newest, long Pending, long InProgress, long RequiresReview, DateTimeOffset FirstFailedAt,
    DateTimeOffset LastFailedAt)
{
    /// <summary>
    /// How many titles this group stands for. Of groups with one client, method, route, class and status (or exception) the 200 with the
    /// latest failures are listed, and the others are counted as one group. Default 0: a group of one title.
    /// </summary>
    public int OtherReasons { get; init; }

    /// <summary>How many letters it has.</summary>
    public long Count => Pending + InProgress + RequiresReview;
}
