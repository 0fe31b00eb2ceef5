using System.Diagnostics;

namespace HttpResilience.IntegrationTests.Storage;

/// <summary>The server itself goes and comes back: it is one of their own that these tests stop.</summary>
public sealed class PostgreSqlOutageTests(PostgreSqlServer server) : StorageContract, IClassFixture<PostgreSqlServer>
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();

    [Fact]
    public async Task A_server_that_is_down_is_told_soon_and_used_again_when_it_is_back_with_all_that_was_kept()
    {
        var storage = Database.Open();
        var letters = Enumerable.Range(0, 200).Select(_ => Letters.Plain()).ToList();
        await Task.WhenAll(letters.Select(l => storage.DeadLetters.AddAsync(l, Stop)));
        await storage.DeadLetters.WaitForLettersAsync(TimeSpan.FromHours(1), Stop).WaitAsync(ResilientClientUnderTest.Hang, Stop);

        await server.StopAsync();
        long down = Stopwatch.GetTimestamp();
        var failure = await Should.ThrowAsync<HttpResilienceStorageException>(() => storage.DeadLetters.AddAsync(Letters.Plain(), Stop));
        var told = Stopwatch.GetElapsedTime(down);
        await Should.ThrowAsync<HttpResilienceStorageException>(() => storage.DeadLetters.ClaimAsync(Letters.Claim(Noon), Stop));
        await Should.ThrowAsync<HttpResilienceStorageException>(() => storage.DeadLetters.CountAsync(Stop));
        await server.StartAsync();
        long up = Stopwatch.GetTimestamp();
        var after = Letters.Plain();
        (await storage.DeadLetters.AddAsync(after, Stop)).ShouldBeTrue();
        var recovered = Stopwatch.GetElapsedTime(up);

        TestContext.Current.TestOutputHelper?.WriteLine(
            $"told after {told.TotalMilliseconds:0} ms; kept again {recovered.TotalMilliseconds:0} ms after the server was up");
        failure.Message.ShouldContain("cannot be reached");
        told.ShouldBeLessThan(TimeSpan.FromSeconds(15));
        recovered.ShouldBeLessThan(TimeSpan.FromSeconds(15));
        foreach (var letter in letters.Append(after))
            (await storage.DeadLetters.FindAsync(letter.Id, Stop)).ShouldBeThatOf(letter);
    }

    [Fact]
    public async Task A_short_restart_fails_nobody_who_waits_for_a_letter()
    {
        var storage = Database.Open();
        await storage.DeadLetters.AddAsync(Letters.Plain(), Stop);
        await storage.DeadLetters.WaitForLettersAsync(TimeSpan.FromHours(1), Stop).WaitAsync(ResilientClientUnderTest.Hang, Stop);
        var waiting = storage.DeadLetters.WaitForLettersAsync(TimeSpan.FromHours(1), Stop);

        await server.StopAsync();
        await server.StartAsync();

        await waiting.WaitAsync(ResilientClientUnderTest.Hang, Stop);
    }

    [Fact]
    public async Task A_server_that_may_lose_the_last_moments_may_not_lose_letters()
    {
        await server.ExecuteAsync("postgres", $"ALTER DATABASE {((PostgreSqlTestDatabase)Database).Name} SET synchronous_commit = off");
        var store = Database.Open().DeadLetters;
        await store.AddAsync(Letters.Plain(), Stop);

        var letters = Enumerable.Range(0, 20).Select(_ => Letters.Plain()).ToList();
        await Task.WhenAll(letters.Select(l => store.AddAsync(l, Stop)));
        await server.StopAsync();
        await server.StartAsync();

        var after = Database.Open().DeadLetters;
        foreach (var letter in letters)
            (await after.FindAsync(letter.Id, Stop)).ShouldBeThatOf(letter);
    }
}
