namespace HttpResilience.Storage;

/// <summary>How far a batch is.</summary>
/// <param name="Owner">Whose it is.</param>
/// <param name="LeaseUntil">Until when, unless the lease is renewed.</param>
/// <param name="Position">Every record before this index has been worked on.</param>
/// <param name="Done">Records behind that which have been worked on, too, as ranges that do not touch, in order.</param>
public sealed record StoredCheckpoint(Guid Owner, DateTimeOffset LeaseUntil, long Position, IReadOnlyList<BatchRange> Done);

/// <summary>Records from the first to before the last.</summary>
/// <param name="From">The index of the first.</param>
/// <param name="To">The index behind the last.</param>
public readonly record struct BatchRange(long From, long To);

/// <summary>What is kept of a batch.</summary>
public sealed record CheckpointUpdate
{
    /// <summary>The batch.</summary>
    public required string Name { get; init; }

    /// <summary>Whose run it is.</summary>
    public required Guid Owner { get; init; }

    /// <summary>Until when the batch is its own; a time that has passed gives it back.</summary>
    public required DateTimeOffset LeaseUntil { get; init; }

    /// <inheritdoc cref="StoredCheckpoint.Position"/>
    public required long Position { get; init; }

    /// <inheritdoc cref="StoredCheckpoint.Done"/>
    public required IReadOnlyList<BatchRange> Done { get; init; }

    /// <summary>Records that have failed since the last time; one that is kept already is replaced.</summary>
    public IReadOnlyList<BatchFailure> Failed { get; init; } = [];

    /// <summary>Records that had failed before and have succeeded now.</summary>
    public IReadOnlyList<long> Healed { get; init; } = [];
}
