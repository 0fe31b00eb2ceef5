namespace HttpResilience.Storage;

/// <summary>A run of a batch, as operators see it.</summary>
/// <param name="BegunAt">When it began.</param>
/// <param name="BegunWith">The number of records that earlier runs had processed.</param>
/// <param name="SavedAt">When its progress was last stored.</param>
/// <param name="Total">The number of records of the batch; null when it is not known.</param>
/// <param name="Instance">The machine and the number of the process; null when it is not known.</param>
public sealed record CheckpointRun(DateTimeOffset BegunAt, long BegunWith, DateTimeOffset SavedAt, long? Total, string? Instance);

/// <summary>A batch in a store.</summary>
public sealed record StoredBatch
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>The run that holds it, or held it last.</summary>
    public required Guid Owner { get; init; }

    /// <summary>Until when that run holds it; a time that has passed: no run does.</summary>
    public required DateTimeOffset LeaseUntil { get; init; }

    /// <inheritdoc cref="StoredCheckpoint.Position"/>
    public required long Position { get; init; }

    /// <summary>The number of processed records, those that failed among them.</summary>
    public required long Done { get; init; }

    /// <summary>The number of stored failures.</summary>
    public required long Failed { get; init; }

    /// <summary>When its first run began; null when a version began it that does not store this.</summary>
    public DateTimeOffset? BegunAt { get; init; }

    /// <summary>The run that holds it, or held it last; null while nothing is saved, or when its version does not store this.</summary>
    public CheckpointRun? Run { get; init; }

    /// <summary>The records per second from the begin of the run to its last save; null when that is not known.</summary>
    public double? PerSecond => Run is { } run && run.SavedAt > run.BegunAt
        ? (Done - run.BegunWith) / (run.SavedAt - run.BegunAt).TotalSeconds : null;
}
