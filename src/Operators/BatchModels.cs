namespace HttpResilience.Operators;

/// <summary>A batch.</summary>
internal sealed record BatchModel
{
    public required string Name { get; init; }

    /// <summary>A run holds it now.</summary>
    public required bool IsRunning { get; init; }

    /// <summary>Every record before this index is done.</summary>
    public required long Position { get; init; }

    public required long Done { get; init; }

    public long? Total { get; init; }

    public required long Failed { get; init; }

    public DateTimeOffset? BegunAt { get; init; }

    public DateTimeOffset? RunBegunAt { get; init; }

    public DateTimeOffset? SavedAt { get; init; }

    /// <summary>Of the run.</summary>
    public double? PerSecond { get; init; }

    /// <summary>Machine and process of the run.</summary>
    public string? Instance { get; init; }

    /// <summary>Until when the run holds it, unless it renews that; null when none does.</summary>
    public DateTimeOffset? HeldUntil { get; init; }

    internal static BatchModel Of(StoredBatch batch, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(batch);
        bool isRunning = batch.LeaseUntil > now;
        return new()
        {
            Name = batch.Name,
            IsRunning = isRunning,
            Position = batch.Position,
            Done = batch.Done,
            Total = batch.Run?.Total,
            Failed = batch.Failed,
            BegunAt = batch.BegunAt,
            RunBegunAt = batch.Run?.BegunAt,
            SavedAt = batch.Run?.SavedAt,
            PerSecond = batch.PerSecond,
            Instance = batch.Run?.Instance,
            HeldUntil = isRunning ? batch.LeaseUntil : null,
        };
    }
}

/// <summary>Batches, the last saved first.</summary>
internal sealed record BatchPage(IReadOnlyList<BatchModel> Batches);

/// <summary>A record of a batch that failed.</summary>
internal sealed record BatchFailureModel
{
    /// <summary>Its index in the batch.</summary>
    public required long Index { get; init; }

    public required string Class { get; init; }

    public required string ClassText { get; init; }

    public required string Error { get; init; }

    public string? ErrorType { get; init; }

    public int? Code { get; init; }

    public required int Attempts { get; init; }

    public string? Tenant { get; init; }

    /// <summary>The letter that was kept of it.</summary>
    public Guid? Letter { get; init; }

    public required IReadOnlyDictionary<string, string> Tags { get; init; }

    public required DateTimeOffset FailedAt { get; init; }

    internal static BatchFailureModel Of(BatchFailure failure)
    {
        ArgumentNullException.ThrowIfNull(failure);
        return new()
        {
            Index = failure.Index,
            Class = LetterWords.Of(failure.FailureClass),
            ClassText = LetterWords.Text(failure.FailureClass),
            Error = failure.Error,
            ErrorType = failure.ErrorType,
            Code = failure.StatusCode,
            Attempts = failure.Attempts,
            Tenant = failure.Tenant,
            Letter = failure.DeadLetterId,
            Tags = failure.Tags,
            FailedAt = failure.FailedAt,
        };
    }
}

/// <summary>One batch.</summary>
/// <param name="Batch">How far it is.</param>
/// <param name="Failures">A page of its failures, by index.</param>
/// <param name="Next">The address of the next page; null for the last one.</param>
internal sealed record BatchDetail(BatchModel Batch, IReadOnlyList<BatchFailureModel> Failures, string? Next);
