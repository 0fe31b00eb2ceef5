using HttpResilience.Tests;
using Npgsql;

namespace HttpResilience.IntegrationTests.Storage;

/// <summary>Databases and users whose settings are not the usual ones.</summary>
public sealed class PostgreSqlSettingsTests(PostgreSqlServer server) : StorageContract
{
    private static readonly DeadLetter Euro = Letters.Plain() with
    {
        Tenant = "Müller € 東京 😀",
        ErrorTitle = "5 € are missing",
        Tags = new Dictionary<string, string> { ["price"] = "5 €" },
    };

    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();

    [Theory, InlineData("LATIN1"), InlineData("WIN1252"), InlineData("EUC_JP"), InlineData("LATIN9")]
    public async Task A_database_that_has_no_room_for_every_character_is_refused_before_the_first_letter(string encoding)
    {
        await using var database = (PostgreSqlTestDatabase)await server.CreateDatabaseAsync($"ENCODING '{encoding}' TEMPLATE template0");
        var store = database.Open().DeadLetters;

        string message = (await Should.ThrowAsync<HttpResilienceStorageException>(() => store.AddAsync(Letters.Plain(), Stop))).Message;

        message.ShouldContain($"'{database.Name}'");
        message.ShouldContain($"has the encoding {encoding}");
        message.ShouldContain("ENCODING 'UTF8'");
        (await Should.ThrowAsync<HttpResilienceStorageException>(() => store.CountAsync(Stop))).Message.ShouldBe(message);
        (await server.ScalarAsync<long>(database.Name, "SELECT count(*) FROM pg_namespace WHERE nspname = 'http_resilience'")).ShouldBe(0);
    }

    [Theory, InlineData("UTF8"), InlineData("SQL_ASCII")]
    public async Task A_database_that_stores_every_character_keeps_them(string encoding)
    {
        await using var database = await server.CreateDatabaseAsync($"ENCODING '{encoding}' TEMPLATE template0");
        await database.Open().DeadLetters.AddAsync(Euro, Stop);

        (await database.Open().DeadLetters.FindAsync(Euro.Id, Stop)).ShouldBeThatOf(Euro);
    }

    [Theory, InlineData("serializable"), InlineData("repeatable read")]
    public async Task Transactions_that_a_stricter_isolation_makes_fail_are_tried_again(string isolation)
    {
        const int Count = 120, Workers = 4;
        string name = ((PostgreSqlTestDatabase)Database).Name;
        await server.ExecuteAsync("postgres", $"ALTER DATABASE {name} SET default_transaction_isolation = '{isolation}'");
        var stores = Enumerable.Range(0, Workers).Select(_ => Database.Open(new UnlimitedRetryTime())).ToList();
        var letters = Enumerable.Range(0, Count).Select(_ => Letters.Plain(Noon)).ToList();

        (await Task.WhenAll(letters.Select((l, i) => stores[i % Workers].DeadLetters.AddAsync(l, Stop)))).ShouldAllBe(added => added);
        await Task.WhenAll(stores.Select(async (storage, worker) =>
        {
            var owner = Guid.NewGuid();
            long sequence = 0;
            while (await storage.DeadLetters.ClaimAsync(Letters.Claim(Noon, limit: 5), Stop) is { Count: > 0 } claimed)
            {
                foreach (var letter in claimed)
                    (await storage.DeadLetters.UpdateAsync(letter with { Status = DeadLetterStatus.Replayed }, Stop)).ShouldBeTrue();
                ErrorBudgetCount count = new("billing", "1.0", Noon, FailureClass.ServerError, claimed.Count);
                (await storage.ErrorBudgets.AddAsync(new(owner, ++sequence, Noon, [count]), Stop)).ShouldBeTrue();
            }
        }));

        (await stores[0].DeadLetters.CountAsync(Stop))[DeadLetterStatus.Replayed].ShouldBe(Count);
        (await stores[0].ErrorBudgets.LoadAsync("billing", Noon.AddDays(-1), Stop)).Sum(c => c.Calls).ShouldBe(Count);
    }

    [Fact]
    public async Task A_user_who_may_not_create_is_told_what_to_grant_at_each_step()
    {
        string role = await CreateRoleAsync();
        var store = Database.Open(connectionString: As(role)).DeadLetters;

        (await DeniedAsync()).ShouldContain($"denies the user {role} a right that it needs: grant CREATE on the database");
        await ExecuteAsync("CREATE SCHEMA http_resilience");
        (await DeniedAsync()).ShouldContain("USAGE on the schema http_resilience");
        await ExecuteAsync($"GRANT USAGE ON SCHEMA http_resilience TO {role}");
        (await DeniedAsync()).ShouldContain("CREATE on the schema http_resilience");
        await ExecuteAsync("DROP SCHEMA http_resilience");
        await Database.Open().DeadLetters.AddAsync(Letters.Plain(), Stop);
        (await DeniedAsync()).ShouldContain("USAGE on the schema http_resilience");
        await ExecuteAsync($"GRANT USAGE ON SCHEMA http_resilience TO {role}");
        (await DeniedAsync()).ShouldContain("SELECT, INSERT, UPDATE and DELETE on the tables checkpoint_failures, ");
        await ExecuteAsync($"GRANT SELECT ON ALL TABLES IN SCHEMA http_resilience TO {role}");
        (await DeniedAsync()).ShouldContain("dead_letters, ");
        await ExecuteAsync($"GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA http_resilience TO {role}");

        (await store.AddAsync(Letters.Plain(), Stop)).ShouldBeTrue();

        async Task<string> DeniedAsync() =>
            (await Should.ThrowAsync<HttpResilienceStorageException>(() => store.AddAsync(Letters.Plain(), Stop))).Message;
    }

    /// <summary>The statements of docs/postgresql.md for an administrator.</summary>
    [Theory]
    [InlineData("CREATE SCHEMA http_resilience AUTHORIZATION app")]
    [InlineData("CREATE SCHEMA http_resilience; GRANT USAGE, CREATE ON SCHEMA http_resilience TO app")]
    [InlineData("GRANT CREATE ON DATABASE mydb TO app")]
    public async Task A_user_who_may_not_create_uses_what_an_administrator_has_prepared(string statements)
    {
        string role = await CreateRoleAsync();
        foreach (string statement in statements.Split(';', StringSplitOptions.TrimEntries))
        {
            Repository.Read("docs/postgresql.md").ShouldContain($"{statement};");
            await ExecuteAsync(statement.Replace(" app", $" {role}").Replace("mydb", ((PostgreSqlTestDatabase)Database).Name));
        }

        var storage = Database.Open(connectionString: As(role));

        (await storage.DeadLetters.AddAsync(Letters.Plain(Noon), Stop)).ShouldBeTrue();
        (await storage.DeadLetters.ClaimAsync(Letters.Claim(Noon), Stop)).ShouldHaveSingleItem();
        (await storage.Checkpoints.BeginAsync("nightly", Guid.NewGuid(), Noon, Noon, Stop)).Position.ShouldBe(0);
    }

    [Fact]
    public async Task A_table_space_that_is_full_reports_an_error_and_keeps_letters_again_when_there_is_room()
    {
        await using var disk = await SmallDisk.MountAsync(mebibytes: 24);
        string directory = Path.Combine(disk.Directory, "space");
        using (var make = System.Diagnostics.Process.Start(PostgreSqlServer.AsPostgres("mkdir", directory))!)
            await make.WaitForExitAsync(Stop);
        string space = $"space_{Guid.NewGuid():N}", name = ((PostgreSqlTestDatabase)Database).Name;
        await server.ExecuteAsync("postgres", $"CREATE TABLESPACE {space} LOCATION '{directory}'");
        await server.ExecuteAsync("postgres", $"ALTER DATABASE {name} SET default_tablespace = {space}");
        var store = Database.Open().DeadLetters;
        List<Guid> kept = [];
        var random = new Random(1);
        string? filling = null;
        HttpResilienceStorageException? failure = null;
        for (int i = 0; i < 200 && failure is null; i++)
        {
            // Not compressible.
            byte[] body = new byte[200_000];
            random.NextBytes(body);
            var letter = Letters.Plain() with { Body = body };
            try
            {
                await store.AddAsync(letter, Stop);
                kept.Add(letter.Id);
                filling ??= disk.Fill();
            }
            catch (HttpResilienceStorageException e)
            {
                failure = e;
            }
        }

        failure.ShouldNotBeNull().Message.ShouldContain("has no room on its disk");
        File.Delete(filling!);
        (await store.AddAsync(Letters.Plain(), Stop)).ShouldBeTrue();
        foreach (var id in kept)
            (await store.FindAsync(id, Stop)).ShouldNotBeNull();
        await server.ExecuteAsync("postgres", $"DROP DATABASE {name} WITH (FORCE)");
        await server.ExecuteAsync("postgres", $"DROP TABLESPACE {space}");
    }

    private async Task<string> CreateRoleAsync()
    {
        string role = $"app_{Guid.NewGuid():N}";
        await ExecuteAsync($"CREATE ROLE {role} LOGIN");
        return role;
    }

    private Task ExecuteAsync(string sql) => server.ExecuteAsync(((PostgreSqlTestDatabase)Database).Name, sql);

    private string As(string role) =>
        new NpgsqlConnectionStringBuilder(Database.ConnectionString) { Username = role }.ConnectionString;
}
