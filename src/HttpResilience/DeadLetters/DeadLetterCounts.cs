namespace HttpResilience;

/// <summary>How many dead letters there are.</summary>
/// <param name="ByStatus">Each status that has any.</param>
/// <param name="OldestDueAt">When the pending letter was or is due that is due first; null when none is pending.</param>
public sealed record DeadLetterCounts(IReadOnlyDictionary<DeadLetterStatus, long> ByStatus, DateTimeOffset? OldestDueAt)
{
    /// <summary>How many there are of a status.</summary>
    public long this[DeadLetterStatus status] => ByStatus.GetValueOrDefault(status);
}
