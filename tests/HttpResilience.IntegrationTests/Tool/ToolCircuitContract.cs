using System.Text.Json.Nodes;
using HttpResilience.IntegrationTests.AspNetCore;
using HttpResilience.IntegrationTests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace HttpResilience.IntegrationTests.Tool;

public sealed class SqliteToolCircuitTests : ToolCircuitContract
{
    private protected override string StoreOf(TestDatabase database) => ((SqliteTestDatabase)database).Path;

    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());
}

public sealed class PostgreSqlToolCircuitTests(PostgreSqlServer server) : ToolCircuitContract
{
    private protected override string StoreOf(TestDatabase database) => database.ConnectionString;

    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}

/// <summary>Hosts are held back and let through with the tool: a process of its own, a real store and a running application.</summary>
public abstract class ToolCircuitContract : StorageContract
{
    private static readonly string[] Billing = ["--client", "billing", "--host", "api.test"];

    private protected abstract string StoreOf(TestDatabase database);

    [Fact]
    public async Task A_host_is_held_back_and_let_through_in_a_running_application()
    {
        using var application = await StartAsync();
        using var tool = new ToolProgram { Store = StoreOf(Database), Columns = 250 };
        await Database.Open(application: "shop").DeadLetters.AddAsync(
            Letters.Plain(DateTimeOffset.UtcNow) with { Application = "shop", Uri = new("https://api.test/invoices") }, Stop);

        var asked = await tool.ExpectAsync(2, ["circuits", "hold", .. Billing, "--as", "alice"]);
        asked.Error.ShouldContain($"Hold back: billing → https://api.test; on {Environment.MachineName}:");
        asked.Error.ShouldContain("Calls fail at once, 1 letter waits.");
        asked.Error.ShouldContain("Give --yes to do it.");
        (await tool.ExpectAsync(1, "circuits", "list")).Error.ShouldContain("No instance of");

        (await tool.ExpectAsync(0, ["circuits", "hold", .. Billing, "--as", "alice", "--note", "they asked\nus", "--yes"])).Output
            .ShouldStartWith("billing → https://api.test is held back by alice since ");
        await UntilAsync(application, CircuitState.Isolated);
        // A second person is told of the first, and is not asked.
        (await tool.ExpectAsync(0, ["circuits", "hold", .. Billing, "--as", "bob"])).Output
            .ShouldContain("is held back by alice since ");

        var list = await UntilReportedAsync(tool, "isolated");
        $"{list["circuitText"]} {list["hold"]!["by"]} {list["hold"]!["note"]}".ShouldBe("Held back alice they asked\nus");
        string table = (await tool.ExpectAsync(0, "circuits", "list", "--client", "billing", "--host", "https://api.test")).Output;
        table.ShouldContain("Held back");
        table.ShouldContain("by alice, just now: they asked us");
        table.ShouldContain($"{Environment.MachineName}:{Environment.ProcessId}: Held back since just now");

        (await tool.ExpectAsync(0, ["circuits", "release", .. Billing, "--as", "bob"])).Output
            .ShouldStartWith("billing → https://api.test is let through, as bob.");
        await UntilAsync(application, CircuitState.Closed);
        (await UntilReportedAsync(tool, "closed"))["letThrough"]!["by"]!.GetValue<string>().ShouldBe("bob");
        (await Database.Open(application: "shop").Activity.ListAsync(null, 10, Stop)).Select(a => $"{a.By} {a.Action}").ShouldBe(
            ["bob LetThrough", "alice HoldBack"]);
        await application.StopAsync(Stop);
    }

    [Fact]
    public async Task What_is_not_known_or_not_valid_is_told()
    {
        using var tool = new ToolProgram { Store = StoreOf(Database) };
        await Database.Open().CircuitHolds.ListAsync(Stop);
        (await tool.ExpectAsync(2, ["circuits", "hold", .. Billing, "--yes"])).Error.ShouldContain("give --application NAME");
        using var application = await StartAsync();

        (await tool.ExpectAsync(2, "circuits", "hold", "--client", "billing")).Error.ShouldContain("Which host?");
        (await tool.ExpectAsync(2, "circuits", "release", "--host", "api.test")).Error.ShouldContain("Which host?");
        (await tool.ExpectAsync(2, "circuits", "hold", "--client", "billing", "--host", "ftp://x")).Error.ShouldContain("--host");
        (await tool.ExpectAsync(2, "circuits", "list", "--host", "https://xn--ä")).Error.ShouldContain("--host");
        (await tool.ExpectAsync(1, "circuits", "hold", "--client", "Billing", "--host", "api.test", "--yes")).Error
            .ShouldContain("There is no client 'Billing' with circuits. Known: billing.");
        (await tool.ExpectAsync(1, "circuits", "hold", "--client", "Billing", "--host", "api.test")).Error
            .ShouldContain("There is no client 'Billing' with circuits. Known: billing.");
        (await tool.ExpectAsync(2, "circuits", "hold", "--client", "billing", "--host", "127.0.0.1:5080")).Error
            .ShouldContain("--host 127.0.0.1:5080 has no scheme: https://127.0.0.1:5080 is meant.");
        (await tool.ExpectAsync(1, ["circuits", "hold", .. Billing, "--note", new string('x', 1001), "--yes"])).Error
            .ShouldContain("at most 1000 characters");
        (await tool.ExpectAsync(1, ["circuits", "release", .. Billing, "--application", "other"])).Error
            .ShouldContain("No instance of the application was seen within an hour.");
        (await Database.Open(application: "shop").CircuitHolds.ListAsync(Stop)).ShouldBeEmpty();
        await application.StopAsync(Stop);
    }

    [Fact]
    public async Task A_host_is_held_back_by_the_API_of_a_running_application()
    {
        await using var host = await ApiHost.StartAsync(services =>
        {
            Database.AddTo(services);
            services.AddResilientHttpClient("billing", o => o.BaseAddress = new("https://api.test/"));
        });
        using var tool = new ToolProgram { Columns = 250 };
        await UntilAsync(async () => (await host.GetAsync("instances")).Json["instances"]!.AsArray().Count == 1);
        string[] by = ["--url", $"{host.Address}", "--header", $"X-User: {ApiHost.Operator}"];

        (await tool.ExpectAsync(2, ["circuits", "hold", .. Billing, .. by])).Error.ShouldContain("0 letters wait.");
        (await tool.ExpectAsync(0, ["circuits", "hold", .. Billing, "--note", "why", "--yes", .. by])).Output
            .ShouldContain("is held back by olga since");
        (await tool.ExpectAsync(0, ["circuits", "list", .. by])).Output.ShouldContain("Held back");
        (await tool.ExpectAsync(1, ["circuits", "hold", "--client", "x", "--host", "api.test", "--yes", .. by])).Error
            .ShouldContain("There is no client 'x' with circuits. Known: billing.");
        (await tool.ExpectAsync(1, ["circuits", "release", .. Billing, "--url", $"{host.Address}", "--header", $"X-User: {ApiHost.Staff}"]))
            .Error.ShouldContain("answers 403");
        (await tool.ExpectAsync(0, ["circuits", "release", .. Billing, .. by])).Output.ShouldContain("is let through, as olga.");
        (await tool.ExpectAsync(2, ["circuits", "release", .. Billing, "--as", "eve", .. by])).Error.ShouldContain("--as is for stores");
    }

    private async Task<IHost> StartAsync()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new() { ApplicationName = "shop" });
        Database.AddTo(builder.Services);
        builder.Services.AddResilientHttpClient("billing", o => o.BaseAddress = new("https://api.test/"));
        var host = builder.Build();
        await host.StartAsync(Stop);
        var instances = Database.Open(application: "shop").Instances;
        await UntilAsync(async () => (await instances.ListAsync(default, Stop)).Count == 1);
        return host;
    }

    private static Task UntilAsync(IHost host, CircuitState state) => UntilAsync(() => Task.FromResult(
        host.Services.GetRequiredService<ICircuits>().List("billing").SingleOrDefault()?.State == state));

    private static async Task<JsonNode> UntilReportedAsync(ToolProgram tool, string circuit)
    {
        JsonNode? found = null;
        await UntilAsync(async () =>
        {
            var list = await tool.RunAsync("circuits", "list", "--json");
            found = JsonNode.Parse(list.Output)!["circuits"]!.AsArray().SingleOrDefault();
            return found?["instances"]!.AsArray().SingleOrDefault()?["circuit"]!.GetValue<string>() == circuit;
        });
        return found!;
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        long began = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            TimeProvider.System.GetElapsedTime(began).ShouldBeLessThan(ResilientClientUnderTest.Hang);
            await Task.Delay(20, Stop);
        }
    }
}
