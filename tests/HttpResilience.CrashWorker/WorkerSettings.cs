using System.Text.Json;

namespace HttpResilience.CrashWorker;

/// <summary>What a worker process is told as its one argument, as JSON.</summary>
public sealed record WorkerSettings
{
    /// <summary>The client of its requests.</summary>
    public const string Client = "orders";

    /// <summary>Says to the API which process it is.</summary>
    public const string WorkerHeader = "X-Worker";

    /// <summary>The process, as the API and the test call it.</summary>
    public required string Name { get; init; }

    /// <summary>PostgreSQL, not SQLite.</summary>
    public required bool IsPostgreSql { get; init; }

    public required string ConnectionString { get; init; }

    public required Uri Api { get; init; }

    /// <summary>Whether calls that fail leave letters.</summary>
    public bool KeepsLetters { get; init; } = true;

    /// <summary>Whether it sends letters again.</summary>
    public bool Replays { get; init; } = true;

    /// <summary>How fast its time runs: backoff, lease, timeouts, all but the sockets.</summary>
    public double Speed { get; init; } = 1;

    /// <summary>When the time of the test began.</summary>
    public DateTimeOffset Epoch { get; init; } = DateTimeOffset.UnixEpoch;

    /// <summary>How much time has passed since in addition, between the life of one process and that of the next.</summary>
    public TimeSpan Ahead { get; init; }

    /// <summary>Where it says that it is there, and waits to be killed.</summary>
    public Moment? HaltsAt { get; init; }

    public string ToJson() => JsonSerializer.Serialize(this);

    public static WorkerSettings FromJson(string json) => JsonSerializer.Deserialize<WorkerSettings>(json)!;
}

/// <summary>Between which two steps a process dies.</summary>
public enum Moment
{
    /// <summary>The call has failed; its letter is not kept yet.</summary>
    BeforeKeeping,

    /// <summary>The letter is kept; the caller has not been told.</summary>
    AfterKeeping,

    /// <summary>The letter is claimed; it has not been sent again.</summary>
    AfterClaiming,

    /// <summary>The letter has been sent again; what became of it is not written down.</summary>
    BeforeResult,

    /// <summary>What became of the letter is written down; the worker does not know.</summary>
    AfterResult,
}
