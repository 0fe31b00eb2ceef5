using Npgsql;

namespace HttpResilience.IntegrationTests.Storage;

/// <summary>Lost responses, cut connections and locked rows.</summary>
public sealed class PostgreSqlTroubleTests(PostgreSqlServer server) : StorageContract
{
    private PostgreSqlTestDatabase Own => (PostgreSqlTestDatabase)Database;

    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();

    [Fact]
    public async Task An_update_whose_response_is_lost_is_made_once_and_reported_as_made()
    {
        await using var proxy = new CuttingProxy(new NpgsqlConnectionStringBuilder(Database.ConnectionString).Port);
        var storage = Database.Open(
            connectionString: $"{Database.ConnectionString};Port={proxy.Port};SSL Mode=Disable;GSS Encryption Mode=Disable");
        var letters = storage.DeadLetters;
        var letter = Letters.Plain() with { Body = new byte[] { 1 }, Tags = new Dictionary<string, string> { ["a"] = "b" } };
        var replacement = Letters.Full();

        proxy.CutAfter("INSERT INTO http_resilience.dead_letters");
        (await letters.AddAsync(letter, Stop)).ShouldBeTrue();
        proxy.CutAfter("UPDATE http_resilience.dead_letters");
        (await letters.UpdateAsync(letter with { Attempts = 5 }, Stop)).ShouldBeTrue();
        (await letters.FindAsync(letter.Id, Stop)).ShouldBeThatOf(letter with { Attempts = 5, Version = 1 });
        var activity = new OperatorActivity { Id = Guid.CreateVersion7(Noon), At = Noon, By = "anna", Action = "Resubmit" };
        proxy.CutAfter("COMMIT");
        (await letters.CommitAsync(
            new() { Changed = [letter with { Version = 1, ReplacedBy = replacement.Id }], Added = [replacement], Activity = activity },
            Stop)).ShouldBeTrue();
        (await letters.FindAsync(letter.Id, Stop)).ShouldBeThatOf(letter with { ReplacedBy = replacement.Id, Version = 2 });

        var request = new RememberedRequest("billing", "key", "hash", Guid.NewGuid(), Noon, Noon.AddSeconds(30));
        proxy.CutAfter("INSERT INTO http_resilience.remembered_calls");
        (await storage.IdempotencyKeys.BeginAsync(request, Stop)).ShouldBe(
            new("hash", request.Owner, Noon, request.LeaseUntil, false, null));
        proxy.CutAfter("UPDATE http_resilience.remembered_calls");
        (await storage.IdempotencyKeys.CompleteAsync(request, new(200, null, [], default), Noon.AddDays(1), Stop)).ShouldBeTrue();
        var second = request with { Key = "other" };
        await storage.IdempotencyKeys.BeginAsync(second, Stop);
        proxy.CutAfter("DELETE FROM http_resilience.remembered_calls");
        (await storage.IdempotencyKeys.ForgetAsync(second, Stop)).ShouldBeTrue();

        proxy.Cuts.ShouldBe(6);
    }

    [Theory, InlineData("statement_timeout = '50ms'"), InlineData("lock_timeout = '50ms'"), InlineData("statement_timeout = '1s'")]
    public async Task A_timeout_of_the_user_loses_no_letter_that_waits_for_a_lock(string setting)
    {
        await Database.Open().DeadLetters.AddAsync(Letters.Plain(), Stop);
        await server.ExecuteAsync(Own.Name, $"ALTER DATABASE {Own.Name} SET {setting}");
        await using var holder = new NpgsqlConnection($"{Database.ConnectionString};Pooling=false;Options=-c statement_timeout=0");
        await holder.OpenAsync(Stop);
        await using var transaction = await holder.BeginTransactionAsync(Stop);
        await using (var hold = new NpgsqlCommand("LOCK TABLE http_resilience.dead_letters IN ACCESS EXCLUSIVE MODE", holder, transaction))
            await hold.ExecuteNonQueryAsync(Stop);

        var adding = Enumerable.Range(0, 20).Select(_ => Database.Open().DeadLetters.AddAsync(Letters.Plain(), Stop)).ToList();
        await Eventually.BeAsync(() => server.ScalarAsync<long>("postgres", $"""
            SELECT sum(xact_rollback)::bigint FROM pg_stat_database WHERE datname = '{Own.Name}'
            """).GetAwaiter().GetResult() > 0);
        await transaction.RollbackAsync(Stop);

        (await Task.WhenAll(adding)).ShouldAllBe(added => added);
    }

    [Fact]
    public async Task A_session_that_is_ended_between_two_statements_loses_nothing()
    {
        await server.ExecuteAsync(Own.Name, $"ALTER DATABASE {Own.Name} SET idle_in_transaction_session_timeout = '300ms'");
        await using var database = PostgreSqlDatabase.From(Database.ConnectionString, PostgreSqlSchema.Current, TimeProvider.System);

        // Busy with something else between two statements, the first time.
        long done = await database.RunAsync(async (connection, tries) =>
        {
            await using var transaction = await connection.BeginTransactionAsync(Stop);
            await using var command = new NpgsqlCommand("SELECT 7::bigint", connection);
            await command.ExecuteNonQueryAsync(Stop);
            if (tries == 0)
            {
                int session = connection.ProcessID;
                await Eventually.BeAsync(() => server.ScalarAsync<long>(
                    "postgres", $"SELECT count(*) FROM pg_stat_activity WHERE pid = {session}").GetAwaiter().GetResult() == 0);
            }

            return (long)(await command.ExecuteScalarAsync(Stop))!;
        }, Stop);

        done.ShouldBe(7);
    }

    [Fact]
    public async Task An_update_that_lost_its_response_and_its_race_is_not_reported_as_made()
    {
        await using var proxy = new CuttingProxy(new NpgsqlConnectionStringBuilder(Database.ConnectionString).Port);
        var store = Database.Open(
            connectionString: $"{Database.ConnectionString};Port={proxy.Port};SSL Mode=Disable;GSS Encryption Mode=Disable").DeadLetters;
        var letter = Letters.Plain();
        await store.AddAsync(letter, Stop);
        await store.UpdateAsync(letter with { Attempts = 1 }, Stop);

        proxy.CutAfter("UPDATE http_resilience.dead_letters");
        (await store.UpdateAsync(letter with { Attempts = 2 }, Stop)).ShouldBeFalse();
        proxy.CutAfter("INSERT INTO http_resilience.dead_letters");
        (await store.AddAsync(letter with { Attempts = 2 }, Stop)).ShouldBeFalse();

        proxy.Cuts.ShouldBe(2);
    }

    [Theory]
    [InlineData("INSERT INTO http_resilience.dead_letters", true)]
    // The connection is found dead before the letter is sent.
    [InlineData("SELECT 1", false)]
    public async Task A_letter_whose_fate_is_unknown_when_the_database_is_gone_is_distinguished_from_one_that_is_lost(
        string cutAfter, bool isStored)
    {
        var proxy = new CuttingProxy(new NpgsqlConnectionStringBuilder(Database.ConnectionString).Port);
        var store = Database.Open(connectionString:
            $"{Database.ConnectionString};Port={proxy.Port};SSL Mode=Disable;GSS Encryption Mode=Disable;Maximum Pool Size=1").DeadLetters;
        // The schema is prepared, and the connection is in the pool.
        await store.CountAsync(Stop);
        var letter = Letters.Plain();
        proxy.CutAfter(cutAfter);

        var adding = store.AddAsync(letter, Stop);
        await Eventually.BeAsync(() => proxy.Cuts == 1);
        await proxy.DisposeAsync();

        (await Should.ThrowAsync<HttpResilienceStorageException>(adding)).MayHaveBeenMade.ShouldBe(isStored);
        (await Database.Open().DeadLetters.FindAsync(letter.Id, Stop) is not null).ShouldBe(isStored);
    }

    [Fact]
    public async Task A_locked_letter_is_skipped_and_delays_no_claim()
    {
        var store = Database.Open().DeadLetters;
        var (held, free) = (Letters.Plain(Noon.AddMinutes(-1)), Letters.Plain(Noon));
        await store.AddAsync(held, Stop);
        await store.AddAsync(free, Stop);
        await using var other = new NpgsqlConnection(Database.ConnectionString + ";Pooling=false");
        await other.OpenAsync(Stop);
        await using var transaction = await other.BeginTransactionAsync(Stop);
        await using var hold = new NpgsqlCommand("SELECT 1 FROM http_resilience.dead_letters WHERE id = $1 FOR UPDATE", other);
        hold.Parameters.Add(new() { Value = held.Id });
        await hold.ExecuteNonQueryAsync(Stop);

        (await store.ClaimAsync(Letters.Claim(Noon), Stop)).ShouldHaveSingleItem().Id.ShouldBe(free.Id);
    }

    [Fact]
    public async Task Connections_cut_under_load_lose_and_duplicate_no_letter()
    {
        const int Count = 2000, BetweenCuts = 50;
        var storage = Database.Open(new UnlimitedRetryTime());
        var left = new Queue<DeadLetter>(Enumerable.Range(0, Count).Select(_ => Letters.Plain()));
        using var stored = new SemaphoreSlim(0);
        int cuts = 0;

        // Each cut follows a number of letters that were stored, not a time: a retry that succeeds
        // on a fast machine succeeds on a busy one.
        var cutting = Task.Run(async () =>
        {
            for (int cut = 0; cut < (Count / BetweenCuts) - 1; cut++)
            {
                for (int letter = 0; letter < BetweenCuts; letter++)
                    await stored.WaitAsync(Stop);
                cuts += (int)await server.ScalarAsync<long>(
                    Own.Name,
                    $"""
                    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                    WHERE datname = '{Own.Name}' AND application_name = 'HttpResilience'
                    """);
            }
        }, Stop);
        bool[][] added = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(AddAsync, Stop)));
        await cutting;

        TestContext.Current.TestOutputHelper?.WriteLine($"{cuts} connections cut");
        cuts.ShouldBeGreaterThan(0);
        added.SelectMany(a => a).ShouldAllBe(a => a);
        (await storage.DeadLetters.CountAsync(Stop))[DeadLetterStatus.Pending].ShouldBe(Count);

        async Task<bool[]> AddAsync()
        {
            List<bool> all = [];
            while (Next() is { } letter)
            {
                all.Add(await storage.DeadLetters.AddAsync(letter, Stop));
                stored.Release();
            }

            return [.. all];
        }

        DeadLetter? Next()
        {
            lock (left)
                return left.TryDequeue(out var letter) ? letter : null;
        }
    }

    [Fact]
    public async Task A_listener_whose_connection_is_cut_listens_again()
    {
        var store = Database.Open().DeadLetters;
        await store.WaitForLettersAsync(TimeSpan.FromHours(1), Stop).WaitAsync(ResilientClientUnderTest.Hang, Stop);
        await server.ExecuteAsync(Own.Name,
            $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{Own.Name}' AND application_name = 'HttpResilience'");

        // The listener may have missed a notification, so it ends every wait.
        await store.WaitForLettersAsync(TimeSpan.FromHours(1), Stop).WaitAsync(ResilientClientUnderTest.Hang, Stop);
        var waiting = store.WaitForLettersAsync(TimeSpan.FromHours(1), Stop);
        await Database.Open().DeadLetters.AddAsync(Letters.Plain(), Stop);

        await waiting.WaitAsync(ResilientClientUnderTest.Hang, Stop);
        Database.Log.Lines.ShouldContain(l => l.EventId == 2);
    }
}
