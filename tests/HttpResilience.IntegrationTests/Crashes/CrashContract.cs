using System.Globalization;
using HttpResilience.CrashWorker;
using HttpResilience.IntegrationTests.Storage;

namespace HttpResilience.IntegrationTests.Crashes;

/// <summary>Several processes that share a store and an API.</summary>
public abstract class CrashContract : StorageContract
{
    /// <summary>The start of the clocks of the processes: the present time, which the operations of the machine have too.</summary>
    private protected DateTimeOffset Epoch { get; } = DateTimeOffset.UtcNow;

    /// <summary>Repeats the moments and faults of a run, as far as the timing of the machine allows.</summary>
    private protected static int Seed { get; } = Environment.GetEnvironmentVariable("HTTPRESILIENCE_CRASH_SEED") is { } seed
        ? int.Parse(seed, CultureInfo.InvariantCulture)
        : Environment.TickCount & 0xFFFF;

    protected abstract bool IsPostgreSql { get; }

    /// <summary>The problems that the integrity check of the database finds.</summary>
    protected virtual Task ShouldBeSoundAsync() => Task.CompletedTask;

    /// <summary>Ten times as fast as the clock of the machine: a lease of 3 s, a first backoff of 6 s.</summary>
    private protected WorkerSettings Settings(OrdersApi api, string name, TimeSpan ahead = default) => Settings(api.Uri, name, ahead);

    /// <inheritdoc cref="Settings(OrdersApi, string, TimeSpan)"/>
    private protected WorkerSettings Settings(Uri api, string name, TimeSpan ahead) => new()
    {
        Name = name,
        IsPostgreSql = IsPostgreSql,
        ConnectionString = Database.ConnectionString,
        Api = api,
        Speed = 10,
        Epoch = Epoch,
        Ahead = ahead,
    };

    /// <summary>A letter of an order that the workers send.</summary>
    private protected static DeadLetter Order(Uri api, int number, ReadOnlyMemory<byte> body, DateTimeOffset failedAt) =>
        Letters.Plain(failedAt, WorkerSettings.Client) with
        {
            Uri = new(api, "orders"),
            Body = body,
            IdempotencyKey = $"key-{number}",
            FirstFailedAt = failedAt,
            LastFailedAt = failedAt,
        };

    private protected async Task<List<DeadLetter>> AllLettersAsync()
    {
        var store = Database.Open().DeadLetters;
        List<DeadLetter> letters = [];
        while (await store.ListAsync(
            new() { Limit = 500, Before = letters.Count == 0 ? null : letters[^1].Id }, Stop) is { Count: > 0 } page)
            letters.AddRange(page);
        return letters;
    }

    private protected static void Print(string line) => TestContext.Current.TestOutputHelper?.WriteLine(line);
}
