namespace HttpResilience;

/// <summary>Where a dead letter is on its way.</summary>
public enum DeadLetterStatus
{
    /// <summary>It is sent again by itself when it is due.</summary>
    Pending,

    /// <summary>A worker has it in hand, until its lease ends (<see cref="DeadLetter.DueAt"/>).</summary>
    InProgress,

    /// <summary>Only a person can help.</summary>
    RequiresReview,

    /// <summary>It was sent again, and accepted.</summary>
    Replayed,

    /// <summary>A person has dealt with it.</summary>
    Resolved,

    /// <summary>Another letter, with corrected data and a key of its own, has taken its place.</summary>
    Resubmitted,
}
