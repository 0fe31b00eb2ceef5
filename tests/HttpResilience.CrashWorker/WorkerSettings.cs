using System.Text.Json;

namespace HttpResilience.CrashWorker;

/// <summary>The settings of a worker process, passed as its only argument as JSON.</summary>
public sealed record WorkerSettings
{
    /// <summary>The name of the client.</summary>
    public const string Client = "orders";

    /// <summary>The request header with the name of the process.</summary>
    public const string WorkerHeader = "X-Worker";

    /// <summary>The name of the process in the API and the test.</summary>
    public required string Name { get; init; }

    /// <summary>True for PostgreSQL, false for SQLite.</summary>
    public required bool IsPostgreSql { get; init; }

    public required string ConnectionString { get; init; }

    public required Uri Api { get; init; }

    /// <summary>Whether failed calls are stored as dead letters.</summary>
    public bool KeepsLetters { get; init; } = true;

    /// <summary>Whether the process replays letters.</summary>
    public bool Replays { get; init; } = true;

    /// <summary>The speed of the clock for backoff, leases and timeouts; sockets use real time.</summary>
    public double Speed { get; init; } = 1;

    /// <summary>The start of the test in the clock of the test.</summary>
    public DateTimeOffset Epoch { get; init; } = DateTimeOffset.UnixEpoch;

    /// <summary>Time added to the clock for the gaps between two processes.</summary>
    public TimeSpan Ahead { get; init; }

    /// <summary>The moment at which the process reports and waits to be killed.</summary>
    public Moment? HaltsAt { get; init; }

    /// <summary>The idempotency key of the request whose sending kills the process; null for none.</summary>
    public string? DiesOf { get; init; }

    /// <summary>The directory of the keys with which letters are protected; null for none.</summary>
    public string? KeyRing { get; init; }

    /// <summary>How many calls run at once.</summary>
    public int MaxConcurrency { get; init; } = 6;

    /// <summary>The webhook that receives alerts, as JSON; null for no alerts.</summary>
    public Uri? Alerts { get; init; }

    /// <summary>The <see cref="HttpClient.Timeout"/> that the application sets on the client it created; null for none.</summary>
    public TimeSpan? ClientTimeout { get; init; }

    public string ToJson() => JsonSerializer.Serialize(this);

    public static WorkerSettings FromJson(string json) => JsonSerializer.Deserialize<WorkerSettings>(json)!;
}

/// <summary>The moments at which a process can be killed.</summary>
public enum Moment
{
    /// <summary>The call has failed; its letter is not stored yet.</summary>
    BeforeKeeping,

    /// <summary>The letter is stored; the caller has no result yet.</summary>
    AfterKeeping,

    /// <summary>The letter is claimed; it is not replayed yet.</summary>
    AfterClaiming,

    /// <summary>The letter is replayed; the result is not stored yet.</summary>
    BeforeResult,

    /// <summary>The result of the replay is stored; the worker has no confirmation yet.</summary>
    AfterResult,
}
