namespace HttpResilience;

/// <summary>The outcome of a batch.</summary>
public sealed record BatchReport
{
    /// <summary>The number of records that succeeded in this run.</summary>
    public required long Succeeded { get; init; }

    /// <summary>The number of records that failed in this run.</summary>
    public required long Failed { get; init; }

    /// <summary>The number of records that an earlier run has processed and this one skipped.</summary>
    public required long Skipped { get; init; }

    /// <summary>
    /// The failures by index, up to <see cref="BatchOptions{T}.MaxReportedFailures"/>: those of this run, and with
    /// <see cref="CheckpointMode.AdvanceAndDeadLetter"/> those of earlier runs.
    /// </summary>
    public required IReadOnlyList<BatchFailure> Failures { get; init; }

    /// <summary>The number of failed records of this run by failure class.</summary>
    public required IReadOnlyDictionary<FailureClass, long> FailuresByClass { get; init; }

    /// <summary>The reason why the batch ended.</summary>
    public required BatchStopReason StopReason { get; init; }

    /// <summary>The failure that stopped it; null when it completed.</summary>
    public BatchFailure? StoppedBy { get; init; }

    /// <summary>The duration of the run.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>Every record was skipped: the run repeats a finished one, or its checkpoint has the name of another source.</summary>
    internal bool HasNothingNew => StopReason is BatchStopReason.Completed && Succeeded + Failed == 0 && Skipped > 0;

    /// <summary>A readable summary on one line.</summary>
    public override string ToString()
    {
        if (HasNothingNew)
            return $"nothing new: an earlier run with this checkpoint has done all {Skipped} records";
        string counts = $"{Succeeded} succeeded, {Failed} failed{(Skipped > 0 ? $", {Skipped} done before" : "")}";
        return StopReason switch
        {
            BatchStopReason.Completed => counts,
            BatchStopReason.TooManyFailures => $"{counts}; stopped early: too many failures",
            _ => $"{counts}; stopped early at record {StoppedBy!.Index}: {StoppedBy.Error}",
        };
    }
}

/// <summary>The reason why a batch ended.</summary>
public enum BatchStopReason
{
    /// <summary>Every record was processed.</summary>
    Completed,

    /// <summary>A failure that affects all records: refused credentials, an open circuit or a paused integration.</summary>
    FailureForAll,

    /// <summary><see cref="BatchOptions{T}.MaxFailures"/> was exceeded.</summary>
    TooManyFailures,

    /// <summary><see cref="BatchOptions{T}.StopWhen"/> returned true.</summary>
    StopWhen,
}

/// <summary>A failed record.</summary>
public sealed record BatchFailure
{
    /// <summary>Its index in the source, from 0.</summary>
    public required long Index { get; init; }

    /// <summary>The failure class of the record's last failed call; <see cref="FailureClass.Permanent"/> when there was no call.</summary>
    public required FailureClass FailureClass { get; init; }

    /// <summary>The error on one line: the reason given by the API, as in the log, else the message of the exception.</summary>
    public required string Error { get; init; }

    /// <summary>The type name of the exception; null when none was thrown.</summary>
    public string? ErrorType { get; init; }

    /// <summary>The status of the response; null when there was none.</summary>
    public int? StatusCode { get; init; }

    /// <summary>The number of attempts of the call; 0 when there was no call.</summary>
    public int Attempts { get; init; }

    /// <summary>The idempotency key of the call.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>The tenant of the record.</summary>
    public string? Tenant { get; init; }

    /// <summary>The tags of the record.</summary>
    public IReadOnlyDictionary<string, string> Tags { get; init; } = new Dictionary<string, string>();

    /// <summary>The id of the dead letter of the failed call; null when there is none.</summary>
    public Guid? DeadLetterId { get; init; }

    /// <summary>The time of the failure.</summary>
    public required DateTimeOffset FailedAt { get; init; }

    /// <summary>The record was rejected for longer than the batch waits; another run tries it again.</summary>
    internal bool IsRejected { get; init; }

    /// <summary>The integration is paused.</summary>
    internal bool IsPaused { get; init; }

    /// <summary>The exception; null when the failure was read from a store.</summary>
    public Exception? Exception { get; init; }
}
