namespace HttpResilience;

/// <summary>What became of a batch.</summary>
public sealed record BatchReport
{
    /// <summary>How many records succeeded in this run.</summary>
    public required long Succeeded { get; init; }

    /// <summary>How many failed in this run.</summary>
    public required long Failed { get; init; }

    /// <summary>How many an earlier run had done, and this one left alone.</summary>
    public required long Skipped { get; init; }

    /// <summary>The failures, by index: those of this run, and with <see cref="CheckpointMode.AdvanceAndDeadLetter"/> those of earlier ones. The first <see cref="BatchOptions{T}.MaxReportedFailures"/>.</summary>
    public required IReadOnlyList<BatchFailure> Failures { get; init; }

    /// <summary>How many records of this run failed with what.</summary>
    public required IReadOnlyDictionary<FailureClass, long> FailuresByClass { get; init; }

    /// <summary>Whether all records were worked on.</summary>
    public required BatchStopReason StopReason { get; init; }

    /// <summary>What stopped it; null when nothing did.</summary>
    public BatchFailure? StoppedBy { get; init; }

    /// <summary>How long the run took.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>A line for people.</summary>
    public override string ToString()
    {
        string counts = $"{Succeeded} succeeded, {Failed} failed{(Skipped > 0 ? $", {Skipped} done before" : "")}";
        return StopReason switch
        {
            BatchStopReason.Completed => counts,
            BatchStopReason.TooManyFailures => $"{counts}; stopped early: too many failures",
            _ => $"{counts}; stopped early at record {StoppedBy!.Index}: {StoppedBy.Error}",
        };
    }
}

/// <summary>Why a batch ended.</summary>
public enum BatchStopReason
{
    /// <summary>Every record was worked on.</summary>
    Completed,

    /// <summary>A failure that would be the same for all others: credentials that are refused, a circuit or an integration that stays closed to calls.</summary>
    FailureForAll,

    /// <summary><see cref="BatchOptions{T}.MaxFailures"/> was passed.</summary>
    TooManyFailures,

    /// <summary><see cref="BatchOptions{T}.StopWhen"/> said so.</summary>
    StopWhen,
}

/// <summary>One record that failed.</summary>
public sealed record BatchFailure
{
    /// <summary>Its place in the source, from 0.</summary>
    public required long Index { get; init; }

    /// <summary>What kind of failure it was: that of the record's last call that failed, <see cref="FailureClass.Permanent"/> when it made none.</summary>
    public required FailureClass FailureClass { get; init; }

    /// <summary>What went wrong, on one line: the API's own reason, as the structured log has it, else the message of the exception.</summary>
    public required string Error { get; init; }

    /// <summary>The type name of the exception; null when none was thrown.</summary>
    public string? ErrorType { get; init; }

    /// <summary>The status of the response; null when there was none.</summary>
    public int? StatusCode { get; init; }

    /// <summary>How many attempts the call had on the wire; 0 when the record made none.</summary>
    public int Attempts { get; init; }

    /// <summary>The idempotency key of the call.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>The tenant of the record.</summary>
    public string? Tenant { get; init; }

    /// <summary>The tags of the record.</summary>
    public IReadOnlyDictionary<string, string> Tags { get; init; } = new Dictionary<string, string>();

    /// <summary>The letter that keeps the failed call; null when none does.</summary>
    public Guid? DeadLetterId { get; init; }

    /// <summary>When it failed.</summary>
    public required DateTimeOffset FailedAt { get; init; }

    /// <summary>The record was turned away for longer than the batch could wait: that says nothing about it, and another run tries it again.</summary>
    internal bool IsRejected { get; init; }

    /// <summary>The integration is paused.</summary>
    internal bool IsPaused { get; init; }

    /// <summary>The exception; null in what is read from a store.</summary>
    public Exception? Exception { get; init; }
}
