using HttpResilience.IntegrationTests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace HttpResilience.IntegrationTests.Health;

/// <summary>The health of an application while its PostgreSQL database accepts no letter, and afterwards.</summary>
public sealed class PostgreSqlHealthTests(PostgreSqlServer server) : StorageContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();

    private string Name => ((PostgreSqlTestDatabase)Database).Name;

    [Fact]
    public async Task A_probe_leaves_no_row()
    {
        await using var host = await HealthyHost.StartAsync(s => Database.AddTo(s));
        await host.UntilAsync(HealthStatus.Healthy);

        (await Database.ScalarAsync("SELECT count(*) FROM dead_letters")).ShouldBe(0L);
    }

    [Fact]
    public async Task A_user_who_may_not_insert_letters_is_unhealthy_until_the_right_is_granted()
    {
        string role = $"app_{Guid.NewGuid():N}";
        await server.ExecuteAsync(Name, $"CREATE ROLE {role} LOGIN; GRANT CREATE ON DATABASE {Name} TO {role}");
        await using var host = await HealthyHost.StartAsync(s => s.AddHttpResilienceStorage(storage => storage.UsePostgreSql(
            new NpgsqlConnectionStringBuilder(Database.ConnectionString) { Username = role }.ConnectionString)));
        await host.UntilAsync(HealthStatus.Healthy);
        foreach (string right in new[] { "INSERT", "DELETE" })
        {
            await server.ExecuteAsync(Name, $"REVOKE {right} ON http_resilience.dead_letters FROM {role}");
            (await host.UntilAsync(HealthStatus.Unhealthy)).ShouldContain(
                "grant SELECT, INSERT, UPDATE and DELETE on the tables dead_letters");
            await server.ExecuteAsync(Name, $"GRANT {right} ON http_resilience.dead_letters TO {role}");
            await host.UntilAsync(HealthStatus.Healthy);
        }
    }

    [Fact]
    public async Task A_database_that_can_only_be_read_is_unhealthy_until_it_can_be_written()
    {
        await using var host = await HealthyHost.StartAsync(s => Database.AddTo(s));
        await host.UntilAsync(HealthStatus.Healthy);
        await server.ExecuteAsync("postgres", $"ALTER DATABASE {Name} SET default_transaction_read_only = on");
        await CutAsync();

        (await host.UntilAsync(HealthStatus.Unhealthy)).ShouldStartWith("dead letters cannot be stored: ");
        await server.ExecuteAsync("postgres", $"ALTER DATABASE {Name} RESET default_transaction_read_only");
        await CutAsync();

        await host.UntilAsync(HealthStatus.Healthy);
    }

    [Fact]
    public async Task A_database_that_was_deleted_is_unhealthy_until_there_is_a_new_one()
    {
        await using var host = await HealthyHost.StartAsync(s => Database.AddTo(s));
        await host.UntilAsync(HealthStatus.Healthy);
        await server.ExecuteAsync("postgres", $"DROP DATABASE {Name} WITH (FORCE)");

        (await host.UntilAsync(HealthStatus.Unhealthy)).ShouldContain("does not exist: create it");
        await server.ExecuteAsync("postgres", $"CREATE DATABASE {Name}");

        await host.UntilAsync(HealthStatus.Healthy);
    }

    [Fact]
    public async Task A_table_of_letters_that_is_locked_is_unhealthy_until_it_is_free()
    {
        await using var host = await HealthyHost.StartAsync(s => Database.AddTo(s));
        await host.UntilAsync(HealthStatus.Healthy);
        await using (var other = new NpgsqlConnection($"{Database.ConnectionString};Pooling=false"))
        {
            await other.OpenAsync(Stop);
            await using var transaction = await other.BeginTransactionAsync(Stop);
            await using var command = new NpgsqlCommand("LOCK TABLE http_resilience.dead_letters IN EXCLUSIVE MODE", other);
            await command.ExecuteNonQueryAsync(Stop);

            await host.UntilAsync(HealthStatus.Unhealthy);
        }

        await host.UntilAsync(HealthStatus.Healthy);
    }

    [Fact]
    public async Task A_table_space_that_is_full_is_unhealthy_until_it_has_room()
    {
        await using var disk = await SmallDisk.MountAsync(mebibytes: 24);
        string directory = Path.Combine(disk.Directory, "space"), space = $"space_{Guid.NewGuid():N}";
        using (var make = System.Diagnostics.Process.Start(PostgreSqlServer.AsPostgres("mkdir", directory))!)
            await make.WaitForExitAsync(Stop);
        await server.ExecuteAsync("postgres", $"CREATE TABLESPACE {space} LOCATION '{directory}'");
        await server.ExecuteAsync("postgres", $"ALTER DATABASE {Name} SET default_tablespace = {space}");
        await using (var host = await HealthyHost.StartAsync(s => Database.AddTo(s)))
        {
            await host.UntilAsync(HealthStatus.Healthy);
            string filling = disk.Fill();

            (await host.UntilAsync(HealthStatus.Unhealthy)).ShouldContain("has no room on its disk");
            File.Delete(filling);

            await host.UntilAsync(HealthStatus.Healthy);
        }

        await server.ExecuteAsync("postgres", $"DROP DATABASE {Name} WITH (FORCE)");
        await server.ExecuteAsync("postgres", $"DROP TABLESPACE {space}");
    }

    private Task CutAsync() => server.ExecuteAsync(
        "postgres", $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{Name}' AND pid <> pg_backend_pid()");
}
