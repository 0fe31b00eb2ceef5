namespace HttpResilience;

/// <summary>The status of a dead letter.</summary>
public enum DeadLetterStatus
{
    /// <summary>The letter is replayed when it is due.</summary>
    Pending,

    /// <summary>A worker has claimed it until its lease ends (<see cref="DeadLetter.DueAt"/>).</summary>
    InProgress,

    /// <summary>A person must act.</summary>
    RequiresReview,

    /// <summary>The replay succeeded.</summary>
    Replayed,

    /// <summary>A person has resolved it.</summary>
    Resolved,

    /// <summary>A letter with corrected data and a new key has replaced it.</summary>
    Resubmitted,
}
