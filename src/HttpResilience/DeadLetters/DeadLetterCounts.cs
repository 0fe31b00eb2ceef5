namespace HttpResilience;

/// <summary>The number of dead letters.</summary>
/// <param name="ByStatus">The number of each status that has any.</param>
/// <param name="OldestDueAt">The earliest due time of a pending letter; null when none is pending.</param>
public sealed record DeadLetterCounts(IReadOnlyDictionary<DeadLetterStatus, long> ByStatus, DateTimeOffset? OldestDueAt)
{
    /// <summary>The number of letters of a status.</summary>
    public long this[DeadLetterStatus status] => ByStatus.GetValueOrDefault(status);
}
