using Microsoft.Extensions.Logging;

namespace HttpResilience.IntegrationTests.Storage;

/// <summary>Rows of the other tables, written by a newer version or a manual edit, stop no other row.</summary>
public abstract class UnreadableRowContract : StorageContract
{
    /// <summary>Literals of times that a column can hold and this platform cannot.</summary>
    protected abstract IReadOnlyList<string> TimesBeyondTheCalendar { get; }

    [Theory]
    [InlineData("clients = '{broken'"), InlineData("clients = 'null'"), InlineData("clients = '[null]'"), InlineData("replays_for = '3'")]
    public async Task A_process_that_cannot_be_read_hides_no_other(string change)
    {
        var store = Database.Open().Instances;
        StorageInstance[] both = [Instance(), Instance()];
        foreach (var instance in both)
            await store.SaveAsync(instance, Stop);
        await Database.ScalarAsync($"UPDATE instances SET {change} WHERE id = '{both[0].Id}'");

        (await store.ListAsync(Noon, Stop)).ShouldHaveSingleItem().Id.ShouldBe(both[1].Id);
        (await store.ListAsync(Noon, Stop)).ShouldHaveSingleItem();

        // Once, not with each heartbeat.
        var logged = Database.Log.Lines.Where(l => l.EventId == 422).ShouldHaveSingleItem();
        (logged.Level, logged["Table"]).ShouldBe((LogLevel.Error, "instances"));
    }

    [Fact]
    public async Task A_time_beyond_the_calendar_hides_no_pause_no_count_and_no_version()
    {
        var store = Database.Open().ErrorBudgets;
        long sequence = 0;
        var writer = Guid.NewGuid();
        foreach (string time in TimesBeyondTheCalendar)
        {
            await store.SetPauseAsync(new("odd", true, "me", Noon), Stop);
            await store.SetPauseAsync(new("good", true, "me", Noon), Stop);
            await store.AddAsync(new(writer, ++sequence, Noon, [Count("odd", 1), Count("good", 2)]), Stop);
            await store.StartedAsync("odd", Noon, Stop);
            await Database.ScalarAsync($"UPDATE error_budget_pauses SET changed_at = {time} WHERE client_name LIKE '%odd'");
            await Database.ScalarAsync($"UPDATE error_budget_counts SET period = {time} WHERE version = 'odd'");
            await Database.ScalarAsync($"UPDATE deployed_versions SET last_started_at = {time} WHERE version LIKE '%odd'");

            (await store.PausesAsync(Stop)).ShouldHaveSingleItem().ClientName.ShouldBe("good");
            (await store.LoadAsync("billing", DateTimeOffset.MinValue, Stop)).ShouldHaveSingleItem().Calls.ShouldBe(2);
            (await store.StartedAsync("good", Noon, Stop)).ShouldHaveSingleItem().Version.ShouldBe("good");
            foreach (string table in new[] { "error_budget_pauses", "error_budget_counts", "deployed_versions" })
                await Database.ScalarAsync($"DELETE FROM {table}");
        }
    }

    [Fact]
    public async Task A_count_that_is_full_stops_no_later_counts()
    {
        var store = Database.Open().ErrorBudgets;
        var writer = Guid.NewGuid();
        await store.AddAsync(new(writer, 1, Noon, [Count("full", 1), Count("good", 1)]), Stop);
        await Database.ScalarAsync("UPDATE error_budget_counts SET calls = 9223372036854775807 WHERE version = 'full'");

        (await store.AddAsync(new(writer, 2, Noon, [Count("full", 5), Count("good", 5)]), Stop)).ShouldBeTrue();

        var counts = (await store.LoadAsync("billing", Noon.AddDays(-1), Stop)).ToDictionary(c => c.Version, c => c.Calls);
        (counts["good"], counts["full"] >= 9_000_000_000_000_000_000).ShouldBe((6, true));
    }

    [Theory]
    [InlineData("tags = 'x'"), InlineData("failure_class = 'Newer'"), InlineData("tags = '{\"a\":null}'"), InlineData("tags = '[]'")]
    public async Task A_failed_record_whose_row_cannot_be_read_has_failed_all_the_same(string change)
    {
        var store = Database.Open().Checkpoints;
        var owner = Guid.NewGuid();
        await store.BeginAsync("nightly", owner, Noon, Noon.AddDays(1), Stop);
        CheckpointUpdate update = new()
        {
            Name = "nightly",
            Owner = owner,
            LeaseUntil = Noon.AddDays(1),
            Position = 5,
            Done = [],
            Failed = [.. Enumerable.Range(1, 3).Select(Failure)],
        };
        await store.SaveAsync(update, Stop);
        await Database.ScalarAsync($"UPDATE checkpoint_failures SET {change} WHERE record_index = 2");

        var failures = await store.FailuresAsync("nightly", null, 10, Stop);

        failures.Select(f => f.Index).ShouldBe([1, 2, 3]);
        failures[1].Error.ShouldStartWith("Its row cannot be read: ");
        (await store.FailuresAsync("nightly", 1, 1, Stop)).ShouldHaveSingleItem().Index.ShouldBe(2);
    }

    [Theory]
    [InlineData("done = '[[1]]'"), InlineData("done = 'null'"), InlineData("done = '[null]'"), InlineData("done = '{'")]
    public async Task A_checkpoint_that_cannot_be_read_is_named(string change)
    {
        var store = Database.Open().Checkpoints;
        await store.BeginAsync("nightly", Guid.NewGuid(), Noon, Noon, Stop);
        await Database.ScalarAsync($"UPDATE checkpoints SET {change}");

        var failure = await Should.ThrowAsync<HttpResilienceStorageException>(
            () => store.BeginAsync("nightly", Guid.NewGuid(), Noon.AddDays(1), Noon.AddDays(2), Stop));

        failure.Message.ShouldStartWith("The row of the checkpoint 'nightly' cannot be read: ");
        (await store.BeginAsync("hourly", Guid.NewGuid(), Noon, Noon, Stop)).Position.ShouldBe(0);
    }

    [Theory]
    [InlineData("headers = '{x'"), InlineData("headers = NULL"), InlineData("body = NULL"), InlineData("headers = '[[\"A\"]]'")]
    public async Task A_key_whose_row_cannot_be_read_is_named_and_stops_nothing_that_is_written_with_it(string change)
    {
        var storage = Database.Open();
        var request = new RememberedRequest("billing", "key", "hash", Guid.NewGuid(), Noon, Noon.AddSeconds(30));
        await storage.IdempotencyKeys.BeginAsync(request, Stop);
        await storage.IdempotencyKeys.CompleteAsync(request, new(201, null, [], new byte[] { 1 }), Noon.AddDays(1), Stop);
        await Database.ScalarAsync($"UPDATE remembered_calls SET {change}");

        List<Task<bool>> letters = [];
        List<Task> keys = [];
        for (int i = 0; i < 20; i++)
        {
            letters.Add(storage.DeadLetters.AddAsync(Letters.Plain(), Stop));
            keys.Add(storage.IdempotencyKeys.BeginAsync(request with { Owner = Guid.NewGuid() }, Stop));
        }

        (await Task.WhenAll(letters)).ShouldAllBe(added => added);
        foreach (var key in keys)
            (await Should.ThrowAsync<HttpResilienceStorageException>(() => key)).Message.ShouldStartWith("The row of the key 'key' ");
    }

    [Theory]
    [InlineData("headers = '{x'"), InlineData("initial_age = 9223372036854775807"), InlineData("size = 9223372036854775807")]
    [InlineData("size = -9223372036854775807")]
    public async Task A_fallback_response_that_cannot_be_read_is_none_and_stops_no_later_one(string change)
    {
        var store = Database.Open().Fallbacks;
        await store.SaveAsync("billing", [Response("odd"), Response("odder"), Response("good")], 1_000_000, Stop);
        await Database.ScalarAsync($"UPDATE fallback_responses SET {change} WHERE resource LIKE 'odd%'");

        await store.FindAsync("billing", "odd", "v", Stop);
        await store.SaveAsync("billing", [Response("odd"), Response("new")], 1_000_000, Stop);

        (await store.FindAsync("billing", "odd", "v", Stop)).ShouldNotBeNull();
        (await store.FindAsync("billing", "new", "v", Stop)).ShouldNotBeNull();
    }

    private static StorageInstance Instance() => new()
    {
        Id = Guid.CreateVersion7(),
        Application = "a",
        Name = "host:1",
        Clients = ["billing"],
        StartedAt = Noon,
        SeenAt = Noon,
    };

    private static ErrorBudgetCount Count(string version, long calls) => new("billing", version, Noon, FailureClass.ServerError, calls);

    private static BatchFailure Failure(int index) =>
        new() { Index = index, FailureClass = FailureClass.ServerError, Error = "500", FailedAt = Noon };

    private static FallbackResponse Response(string resource) =>
        new(resource, "v", Noon, TimeSpan.Zero, Noon.AddDays(1), new(200, null, [], new byte[] { 1 }));
}

public sealed class SqliteUnreadableRowTests : UnreadableRowContract
{
    protected override IReadOnlyList<string> TimesBeyondTheCalendar => ["9223372036854775807", "253402300800000000"];

    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());
}

public sealed class PostgreSqlUnreadableRowTests(PostgreSqlServer server) : UnreadableRowContract
{
    protected override IReadOnlyList<string> TimesBeyondTheCalendar => ["'10000-01-01Z'", "'12000-01-01Z'"];

    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}
