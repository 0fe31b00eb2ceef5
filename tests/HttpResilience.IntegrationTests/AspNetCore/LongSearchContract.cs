using HttpResilience.IntegrationTests.Storage;
using HttpResilience.IntegrationTests.Tool;

namespace HttpResilience.IntegrationTests.AspNetCore;

public sealed class SqliteLongSearchTests : LongSearchContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());

    private protected override string StoreOf(TestDatabase database) => ((SqliteTestDatabase)database).Path;
}

public sealed class PostgreSqlLongSearchTests(PostgreSqlServer server) : LongSearchContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();

    private protected override string StoreOf(TestDatabase database) => database.ConnectionString;
}

/// <summary>A search among more letters than one step looks through, by the API and the tool.</summary>
public abstract class LongSearchContract : StorageContract
{
    private const int Count = 50_200;

    private protected abstract string StoreOf(TestDatabase database);

    [Fact]
    public async Task A_text_that_is_far_back_is_found_step_by_step()
    {
        var store = Database.Open().DeadLetters;
        var oldest = Letters.Plain(Noon, status: DeadLetterStatus.RequiresReview) with
        {
            Id = Guid.CreateVersion7(Noon),
            ErrorTitle = "needle",
        };
        await store.AddAsync(oldest, Stop);
        foreach (int[] some in Enumerable.Range(1, Count).Chunk(2000))
        {
            await Task.WhenAll(some.Select(i => store.AddAsync(
                Letters.Plain(Noon, status: DeadLetterStatus.RequiresReview) with { Id = Guid.CreateVersion7(Noon.AddSeconds(i)) }, Stop)));
        }

        await using var host = await ApiHost.StartAsync(services => Database.AddTo(services));
        var first = (await host.GetAsync("letters?text=needle")).Json;
        (first["letters"]!.AsArray().Count, first["looked"]!.GetValue<int>()).ShouldBe((0, 50_000));
        var second = (await host.GetAsync(first["next"]!.GetValue<string>())).Json;
        second["letters"]!.AsArray().ShouldHaveSingleItem()!["id"]!.GetValue<string>().ShouldBe($"{oldest.Id}");
        second["looked"]!.GetValue<int>().ShouldBe(201);
        second["next"].ShouldBeNull();

        using var tool = new ToolProgram { Store = StoreOf(Database) };
        string[] url = ["--url", $"{host.Address}", "--header", $"X-User: {ApiHost.Staff}"];
        foreach (string[] source in (string[][])[[], url])
        {
            var run = await tool.ExpectAsync(0, ["letters", "list", "--status", "needs-person", "--text", "needle", .. source]);
            run.Error.ShouldContain("Looked through the newest 50,000: none. Looking further back…");
            run.Output.ShouldContain("needle");
            (await tool.ExpectAsync(1, ["letters", "list", "--text", "nothing", .. source])).Error.ShouldContain("No letter in");
        }
    }
}
