using System.Text.Json.Nodes;
using HttpResilience.IntegrationTests.AspNetCore;
using HttpResilience.IntegrationTests.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.IntegrationTests.Tool;

public sealed class SqliteToolPauseTests : ToolPauseContract
{
    private protected override string StoreOf(TestDatabase database) => ((SqliteTestDatabase)database).Path;

    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());
}

public sealed class PostgreSqlToolPauseTests(PostgreSqlServer server) : ToolPauseContract
{
    private protected override string StoreOf(TestDatabase database) => database.ConnectionString;

    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}

/// <summary><c>pause</c> and <c>resume</c> on each store, beside an application that is running.</summary>
public abstract class ToolPauseContract : StorageContract
{
    private protected abstract string StoreOf(TestDatabase database);

    [Fact]
    public async Task A_client_is_paused_in_the_running_application_and_resumed_by_the_store()
    {
        await using var application = await StartAsync();
        using var tool = new ToolProgram { Store = StoreOf(Database) };

        var paused = await tool.ExpectAsync(0, "pause", "orders", "--note", "double invoices", "--as", "alice", "--yes");

        paused.Output.ShouldContain("orders is paused, as alice: double invoices");
        paused.Error.ShouldContain("Pause orders: its calls fail at once, 0 letters wait, on 1 instance: ");
        await Eventually.BeAsync(async () =>
        {
            application.Time.Advance(TimeSpan.FromSeconds(10));
            try
            {
                await application.CallAsync();
                return false;
            }
            catch (IntegrationPausedException)
            {
                return true;
            }
        });
        (await tool.ExpectAsync(1, "pause", "orders", "--yes")).Error.ShouldContain("by alice: double invoices");
        var resumed = JsonNode.Parse((await tool.ExpectAsync(0, "resume", "orders", "--as", "bob", "--json")).Output)!;
        ((string)resumed["name"]!, resumed["pause"]).ShouldBe(("orders", null));
        (await tool.ExpectAsync(1, "resume", "orders")).Error.ShouldMatch("orders is not paused. Resumed 20.* by bob.");
        await Eventually.BeAsync(async () =>
        {
            application.Time.Advance(TimeSpan.FromSeconds(10));
            try
            {
                await application.CallAsync();
                return true;
            }
            catch (IntegrationPausedException)
            {
                return false;
            }
        });
        (await Database.Open().Activity.ListAsync(null, 10, Stop)).Select(a => (a.Action, a.By, a.Notes))
            .ShouldBe([("Resume", "bob", null), ("Pause", "alice", "double invoices")]);
    }

    [Fact]
    public async Task A_client_that_is_unknown_is_refused_with_the_names_that_are_known()
    {
        await using var application = await StartAsync();
        using var tool = new ToolProgram { Store = StoreOf(Database) };

        foreach (string verb in (string[])["pause", "resume"])
        {
            var run = await tool.ExpectAsync(1, verb, "order", "--note", "x");
            run.Error.ShouldContain("There is no client 'order' in ");
            run.Error.ShouldContain("Known: orders.");
        }

        (await tool.ExpectAsync(2, "pause", "orders")).Error.ShouldContain("Give --yes to do it.");
        (await tool.ExpectAsync(2, "pause")).Error.ShouldContain("See http-resilience pause --help.");
        (await tool.ExpectAsync(2, "pause", "orders", "--note", new string('x', 10_001), "--yes")).Error.ShouldContain("10000");
        (await Database.Open().ErrorBudgets.PausesAsync(Stop)).ShouldBeEmpty();
    }

    [Fact]
    public async Task It_says_when_no_instance_obeys_and_which_line_is_missing()
    {
        await using var application = await StartAsync(hasOperations: false);
        using var tool = new ToolProgram { Store = StoreOf(Database) };

        var run = await tool.ExpectAsync(0, "pause", "orders", "--yes");

        run.Error.ShouldContain("goes on sending: a pause needs builder.Services.AddHttpResilienceOperations()");
        run.Error.ShouldContain("on no instance that is running now");
        await application.CallAsync();
    }

    [Fact]
    public async Task By_the_url_of_an_application_it_is_paused_as_the_person_of_the_token()
    {
        await using var host = await ApiHost.StartAsync(services =>
        {
            Database.AddTo(services).AddHttpResilienceOperations();
            services.AddResilientHttpClient("orders");
        });
        using var tool = new ToolProgram();
        string[] As(string person) => ["--url", $"{host.Address}", "--header", $"X-User: {person}"];

        (await tool.ExpectAsync(0, ["pause", "orders", "--note", "x", "--yes", .. As(ApiHost.Operator)])).Output
            .ShouldContain("orders is paused, as olga: x");
        (await tool.ExpectAsync(1, ["pause", "orders", "--yes", .. As(ApiHost.Other)])).Error.ShouldContain("by olga: x");
        (await tool.ExpectAsync(1, ["pause", "order", "--yes", .. As(ApiHost.Other)])).Error
            .ShouldContain("There is no client 'order'. Known: orders.");
        (await tool.ExpectAsync(1, ["resume", "orders", .. As(ApiHost.Staff)])).Error.ShouldContain("answers 403");
        (await tool.ExpectAsync(0, ["resume", "orders", .. As(ApiHost.Other)])).Output.ShouldContain("orders is resumed");
        (await tool.ExpectAsync(1, ["resume", "orders", .. As(ApiHost.Operator)])).Error.ShouldContain("'orders' is not paused.");
    }

    private async Task<OtherInstance> StartAsync(bool hasOperations = true)
    {
        var application = new OtherInstance(services => Database.AddTo(services), hasOperations);
        await application.StartAsync();
        var instances = Database.Open().Instances;
        await Eventually.BeAsync(async () => (await instances.ListAsync(default, Stop)).Count == 1);
        return application;
    }
}
