using System.Text.Json.Nodes;
using HttpResilience.IntegrationTests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace HttpResilience.IntegrationTests.Tool;

public sealed class SqliteToolJobTests : ToolJobContract
{
    private protected override string StoreOf(TestDatabase database) => ((SqliteTestDatabase)database).Path;

    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());
}

public sealed class PostgreSqlToolJobTests(PostgreSqlServer server) : ToolJobContract
{
    private protected override string StoreOf(TestDatabase database) => database.ConnectionString;

    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();
}

/// <summary>Jobs and what is taken back, with the tool, a real store and a running application.</summary>
public abstract class ToolJobContract : StorageContract
{
    private IDeadLetterStore Store => field ??= Database.Open(application: "shop").DeadLetters;

    private protected abstract string StoreOf(TestDatabase database);

    [Fact]
    public async Task A_group_is_sent_again_by_the_running_application_after_the_tool_has_ended()
    {
        await using var invoices = await KestrelServer.StartAsync(Reply.With(201));
        var letters = await AddAsync(invoices.Uri, 12);
        using var application = await StartAsync(invoices.Uri);
        using var tool = new ToolProgram { Store = StoreOf(Database), Columns = 250 };

        (await tool.ExpectAsync(2, "jobs", "start", "--group", letters[0].Fingerprint)).Error.ShouldContain("Give --yes to do it.");
        var started = JsonNode.Parse((await tool.ExpectAsync(
            0, "jobs", "start", "--group", letters[0].Fingerprint, "--rate", "100", "--as", "alice", "--notes", "it is back", "--yes",
            "--json")).Output)!;
        string id = (string)started["id"]!;
        var shown = started;
        for (long began = TimeProvider.System.GetTimestamp(); (string)shown["state"]! == "running";)
        {
            TimeProvider.System.GetElapsedTime(began).ShouldBeLessThan(ResilientClientUnderTest.Hang, shown.ToJsonString());
            shown = JsonNode.Parse((await tool.ExpectAsync(0, "jobs", "show", id, "--json")).Output)!;
        }

        ((string)shown["state"]!, (int)shown["progress"]!["accepted"]!).ShouldBe(("completed", 12));
        invoices.Requests.Count.ShouldBe(12);
        var list = await tool.ExpectAsync(0, "jobs", "list");
        list.Output.ShouldContain(id);
        list.Output.ShouldContain("12 of 12");
        (await tool.ExpectAsync(0, "jobs", "stop", id)).Output.ShouldContain("replay, completed; by alice");
        var letter = (await tool.ExpectAsync(0, "letters", "show", $"{letters[0].Id}")).Output;
        letter.ShouldContain($"To be sent again, by alice, job {id}");
        letter.ShouldContain("Sent again, accepted, 201, from ", customMessage: letter);
        await application.StopAsync(Stop);
    }

    [Fact]
    public async Task Letters_of_a_filter_are_sent_again_as_a_job_that_is_followed_to_its_end()
    {
        await using var invoices = await KestrelServer.StartAsync(Reply.With(201));
        var letters = await AddAsync(invoices.Uri, 6);
        await Store.UpdateAsync(letters[5] with { MayHaveBeenProcessed = true }, Stop);
        var doubtful = letters[5] with { Id = Guid.CreateVersion7(), MayHaveBeenProcessed = true, IdempotencyKey = null };
        await Store.AddAsync(doubtful, Stop);
        using var application = await StartAsync(invoices.Uri);
        using var tool = new ToolProgram { Store = StoreOf(Database), Columns = 250 };

        var run = await tool.ExpectAsync(
            0, "letters", "replay", "--group", letters[0].Fingerprint, "--rate", "100", "--as", "alice", "--yes");

        run.Error.ShouldContain("6 of 7 taken, 1 left out");
        run.Error.ShouldContain("What may be done twice is left out");
        run.Output.ShouldContain("replay, completed; by alice");
        run.Output.ShouldContain("0 wait, 6 accepted, 0 not accepted");
        invoices.Requests.Count.ShouldBe(6);
        (await Store.FindAsync(doubtful.Id, Stop))!.Status.ShouldBe(DeadLetterStatus.RequiresReview);
        await tool.ExpectAsync(0, "letters", "replay", "--all", "--first", "1", "--rate", "100", "--looked", "--yes");
        invoices.Requests.Count.ShouldBe(7);
        await application.StopAsync(Stop);
    }

    [Theory]
    [InlineData("y", LetterJobState.Stopped)]
    [InlineData("n", LetterJobState.Running)]
    public async Task Whoever_interrupts_the_tool_says_whether_the_job_is_stopped_too(string answer, LetterJobState state)
    {
        await using var invoices = await KestrelServer.StartAsync(Reply.With(201));
        await AddAsync(invoices.Uri, 200);
        using var application = await StartAsync(invoices.Uri);
        using var tool = new ToolProgram { Store = StoreOf(Database), Columns = 250 };

        string shown = await tool.InterruptAsync(
            ["letters", "replay", "--all", "--rate", "0.2", "--yes"], "2 of 200 taken", "What is not out stays as it was. [y/N]", answer);

        shown.ShouldContain(state is LetterJobState.Stopped ? "is stopped." : "goes on: jobs show");
        var job = (await Database.Open(application: "shop").Jobs.ListAsync(null, 10, Stop)).ShouldHaveSingleItem();
        job.State.ShouldBe(state);
        if (state is LetterJobState.Stopped)
            (await tool.ExpectAsync(0, "jobs", "show", $"{job.Id}")).Output.ShouldContain($"{job.Taken} put back");
        await application.StopAsync(Stop);
    }

    [Fact]
    public async Task What_was_done_is_taken_back()
    {
        var letter = (await AddAsync(new("http://127.0.0.1:9"), 1))[0];
        using var tool = new ToolProgram { Store = StoreOf(Database) };
        string id = $"{letter.Id}";

        await tool.ExpectAsync(0, "letters", "replay", id, "--as", "alice");
        (await tool.ExpectAsync(0, "letters", "cancel", id, "--as", "bob")).Output.ShouldContain("is again: Needs a person, as bob.");
        (await tool.ExpectAsync(1, "letters", "cancel", id)).Error.ShouldContain("nobody's request to send it is waiting");
        await tool.ExpectAsync(0, "letters", "resolve", id, "--notes", "by hand");
        (await tool.ExpectAsync(1, "letters", "reopen", id, "--if-version", "1")).Error.ShouldContain("has changed");
        await tool.ExpectAsync(0, "letters", "reopen", id);

        var stored = (await Store.FindAsync(letter.Id, Stop))!;
        (stored.Status, stored.SuggestedAction).ShouldBe((DeadLetterStatus.RequiresReview, letter.SuggestedAction));
        stored.History.Select(e => e.Kind).ShouldBe(
        [
            LetterEventKind.Failed, LetterEventKind.ReplayRequested, LetterEventKind.Cancelled, LetterEventKind.Resolved,
            LetterEventKind.Reopened,
        ]);
    }

    [Fact]
    public async Task A_job_needs_an_application_a_filter_and_letters()
    {
        await AddAsync(new("http://127.0.0.1:9"), 1);
        using var tool = new ToolProgram { Store = StoreOf(Database) };

        (await tool.ExpectAsync(2, "jobs", "start", "--all", "--yes")).Error.ShouldContain("give --application NAME");
        (await tool.ExpectAsync(2, "jobs", "start", "--application", "shop")).Error.ShouldContain("Which letters?");
        (await tool.ExpectAsync(2, "jobs", "start", "--all", "--first", "0", "--application", "shop")).Error.ShouldContain("--first");
        (await tool.ExpectAsync(1, "jobs", "start", "--client", "x", "--yes", "--application", "shop")).Error.ShouldContain("fits");
        (await tool.ExpectAsync(1, "jobs", "list", "--application", "shop")).Error.ShouldContain("There is no job");
        (await tool.ExpectAsync(2, "jobs", "stop", "7", "--application", "shop")).Error.ShouldContain("not the id of a job");
        (await tool.ExpectAsync(1, "jobs", "stop", $"{Guid.CreateVersion7()}", "--application", "shop")).Error
            .ShouldContain("There is no job");
    }

    private async Task<IHost> StartAsync(Uri api)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new() { ApplicationName = "shop" });
        Database.AddTo(builder.Services).AddDeadLetterReplay();
        builder.Services.AddResilientHttpClient("billing", o => (o.BaseAddress, o.DeadLetter.Enabled) = (api, true));
        var host = builder.Build();
        await host.StartAsync(Stop);
        return host;
    }

    private async Task<DeadLetter[]> AddAsync(Uri api, int count)
    {
        DeadLetter[] letters =
        [
            .. Enumerable.Range(0, count).Select(i => Letters.Plain(DateTimeOffset.UtcNow, status: DeadLetterStatus.RequiresReview) with
            {
                Application = "shop",
                Uri = new(api, $"invoices/{1000 + i}"),
                StatusCode = 422,
                ErrorTitle = $"Invoice {i} has no customer",
                IdempotencyKey = $"key {i}",
                SuggestedAction = "Fix the data and resubmit",
            }),
        ];
        foreach (var letter in letters)
            (await Store.AddAsync(letter, Stop)).ShouldBeTrue();
        return letters;
    }
}
