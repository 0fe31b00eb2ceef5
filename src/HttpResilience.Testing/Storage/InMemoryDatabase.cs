namespace HttpResilience.Testing;

/// <summary>The data of an <see cref="InMemoryStorage"/>. Every operation runs alone, under the lock.</summary>
internal sealed class InMemoryDatabase
{
    internal Lock Gate { get; } = new();

    internal Func<InMemoryOperation, Func<Task>, Task>? Intercept { get; set; }

    internal bool KeepsByDefault { get; set; }

    internal SortedDictionary<Guid, DeadLetter> Letters { get; } = [];

    internal Dictionary<(string ClientName, string Key), InMemoryKey> Keys { get; } = [];

    internal Dictionary<(string ClientName, string Resource, string Variant), FallbackResponse> Responses { get; } = [];

    internal Dictionary<string, InMemoryBatch> Batches { get; } = [];

    internal Dictionary<(string ClientName, DateTimeOffset Period, string Version, FailureClass Class), long> Counts { get; } = [];

    internal Dictionary<Guid, (long Sequence, DateTimeOffset SavedAt)> Writers { get; } = [];

    internal Dictionary<string, ErrorBudgetPause> Pauses { get; } = [];

    internal Dictionary<string, DeployedVersion> Versions { get; } = [];

    internal SortedDictionary<Guid, StorageInstance> Instances { get; } = [];

    internal Dictionary<(string Application, string Key), StorageIncident> Incidents { get; } = [];

    internal Dictionary<Guid, LetterJob> Jobs { get; } = [];

    internal Dictionary<Guid, (string Application, OperatorActivity Entry)> Activity { get; } = [];

    internal Dictionary<(string Application, string ClientName, string Authority, string? Tenant), CircuitHold> Holds { get; } = [];

    /// <summary>A letter was added or made pending.</summary>
    internal event Action? LetterArrived;

    internal void NotifyLetterArrived() => LetterArrived?.Invoke();
}

/// <summary>A stored idempotency key. <see cref="Response"/> is null until the call has completed.</summary>
internal sealed record InMemoryKey(
    string Fingerprint, Guid Owner, DateTimeOffset BegunAt, DateTimeOffset LeaseUntil, bool IsInDoubt, DateTimeOffset? ExpiresAt,
    RememberedResponse? Response);

/// <summary>The checkpoint of a batch, and its failures by index.</summary>
internal sealed class InMemoryBatch(StoredCheckpoint checkpoint)
{
    internal StoredCheckpoint Checkpoint { get; set; } = checkpoint;

    internal DateTimeOffset? BegunAt { get; set; }

    internal (Guid Owner, CheckpointRun Run)? Run { get; set; }

    internal SortedDictionary<long, BatchFailure> Failures { get; } = [];
}
