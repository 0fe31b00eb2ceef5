using System.Globalization;
using HttpResilience.CrashWorker;

namespace HttpResilience.IntegrationTests.Crashes;

/// <summary>
/// As <see cref="KilledContract"/>, with protected letters whose key ring is removed and restored between the processes: a process without
/// the ring makes a key of its own, and cannot open the letters of the others until all keys are back.
/// HTTPRESILIENCE_KEY_ROUNDS is the number of kills. Default: 4.
/// </summary>
public abstract class LostKeysContract : KilledContract
{
    private readonly DirectoryInfo _ring = Directory.CreateTempSubdirectory("key-ring-");
    private readonly DirectoryInfo _away = Directory.CreateTempSubdirectory("key-ring-away-");
    private int _lost;
    private int _missed;

    private protected override int Rounds { get; } =
        int.Parse(Environment.GetEnvironmentVariable("HTTPRESILIENCE_KEY_ROUNDS") ?? "4", CultureInfo.InvariantCulture);

    private protected override WorkerSettings Changed(WorkerSettings settings, Random? random)
    {
        bool isLost = random?.Next(2) == 0;
        if (isLost)
            _lost++;
        var (from, to) = isLost ? (_ring, _away) : (_away, _ring);
        foreach (var file in from.GetFiles())
            file.MoveTo(Path.Combine(to.FullName, file.Name));
        return settings with { KeyRing = _ring.FullName };
    }

    private protected override void Killed(WorkerProcess worker) =>
        _missed += worker.Lines.Count(l => l.Contains("is missing in this process", StringComparison.Ordinal));

    private protected override Task<bool> HasSeenEnoughAsync() => Task.FromResult(_missed > 0);

    private protected override async Task UntilCompleteAsync()
    {
        var store = Database.Open().DeadLetters;
        while ((await store.MissingKeysAsync(Stop)).Count > 0)
            await Task.Delay(10, Stop);
        var letters = await AllLettersAsync();
        Print($"the ring was away in {_lost} rounds, and a missing key was reported {_missed} times; "
            + $"{letters.Count(l => l.ProtectedWith is { Length: > 0 })} of {letters.Count} letters are protected, with "
            + $"{letters.Select(l => l.ProtectedWith).Distinct().Count()} keys");
        letters.ShouldAllBe(l => l.ProtectedWith != null && l.ProtectedWith.EndsWith("@orders"));
    }

    protected override ValueTask CleanAsync()
    {
        _ring.Delete(recursive: true);
        _away.Delete(recursive: true);
        return base.CleanAsync();
    }
}

[Collection("Crashes on SQLite")]
public sealed class SqliteLostKeysTests : LostKeysContract
{
    protected override bool IsPostgreSql => false;

    protected override ValueTask<Storage.TestDatabase> CreateAsync() => new(new Storage.SqliteTestDatabase());

    protected override Task ShouldBeSoundAsync() => SqliteCheck.ShouldBeSoundAsync(Database);
}

[Collection("Crashes on PostgreSQL")]
public sealed class PostgreSqlLostKeysTests(Storage.PostgreSqlServer server) : LostKeysContract
{
    protected override bool IsPostgreSql => true;

    protected override ValueTask<Storage.TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}
