using System.Diagnostics;
using HttpResilience.CrashWorker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace HttpResilience.IntegrationTests.Storage;

/// <summary>Outages of a server that these tests have for themselves.</summary>
public sealed class PostgreSqlOutageTests(PostgreSqlServer server) : StorageContract, IClassFixture<PostgreSqlServer>
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();

    [Fact]
    public async Task A_server_that_is_down_fails_calls_soon_and_is_used_again_with_all_letters_when_it_is_back()
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
            $"failed after {told.TotalMilliseconds:0} ms; stored again {recovered.TotalMilliseconds:0} ms after the server was up");
        failure.Message.ShouldContain("cannot be reached");
        told.ShouldBeLessThan(TimeSpan.FromSeconds(15));
        recovered.ShouldBeLessThan(TimeSpan.FromSeconds(15));
        foreach (var letter in letters.Append(after))
            (await storage.DeadLetters.FindAsync(letter.Id, Stop)).ShouldBeThatOf(letter);
    }

    [Fact]
    public async Task A_short_restart_fails_no_wait_for_letters()
    {
        var storage = Database.Open();
        await storage.DeadLetters.AddAsync(Letters.Plain(), Stop);
        await storage.DeadLetters.WaitForLettersAsync(TimeSpan.FromHours(1), Stop).WaitAsync(ResilientClientUnderTest.Hang, Stop);
        var waiting = storage.DeadLetters.WaitForLettersAsync(TimeSpan.FromHours(1), Stop);

        await server.StopAsync();
        await server.StartAsync();

        await waiting.WaitAsync(ResilientClientUnderTest.Hang, Stop);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_restart_of_three_seconds_loses_no_letter_of_a_call(bool isFirstUse)
    {
        await using var api = await FaultServer.StartAsync(new FaultScript().Status(503), cancellationToken: Stop);
        var builder = Host.CreateEmptyApplicationBuilder(null);
        // A busy machine may need longer to start a server than a call has to keep its letter.
        builder.Services.AddSingleton<TimeProvider>(new FastTime(DateTimeOffset.UtcNow, speed: 0.1, ahead: TimeSpan.Zero));
        Database.AddTo(builder.Services);
        builder.Services.AddResilientHttpClient("orders", options =>
        {
            options.BaseAddress = api.Uri;
            options.DeadLetter.Enabled = true;
            options.Retry.MaxRetryAttempts = 0;
            options.CircuitBreaker.BreakDuration = null;
        });
        using var host = builder.Build();
        await host.StartAsync(Stop);
        using var http = host.Services.GetRequiredService<IHttpClientFactory>().CreateClient("orders");
        if (!isFirstUse)
            (await SendAsync()).ShouldNotBeNull();

        await server.StopAsync();
        var sending = Enumerable.Range(0, 20).Select(_ => SendAsync()).ToList();
        await Task.Delay(TimeSpan.FromSeconds(2), Stop);
        sending.AddRange(Enumerable.Range(0, 20).Select(_ => SendAsync()));
        await Task.Delay(TimeSpan.FromSeconds(1), Stop);
        await server.StartAsync();

        (await Task.WhenAll(sending)).ShouldAllBe(id => id != null);
        (await Database.Open().DeadLetters.CountAsync(Stop))[DeadLetterStatus.Pending].ShouldBe(isFirstUse ? 40 : 41);
        await host.StopAsync(Stop);

        async Task<Guid?> SendAsync()
        {
            using var response = await http.PostAsync("invoices", new StringContent("{}"), Stop);
            return response.GetHttpCall()!.DeadLetterId;
        }
    }

    [Fact]
    public async Task A_server_with_asynchronous_commit_loses_no_letter()
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
