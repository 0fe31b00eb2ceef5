using System.Text.Json.Nodes;
using HttpResilience.IntegrationTests.AspNetCore;
using HttpResilience.IntegrationTests.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.IntegrationTests.Tool;

/// <summary>The commands about letters by the API of a running application.</summary>
public sealed class ToolUrlTests : IAsyncLifetime
{
    private readonly SqliteTestDatabase _database = new();
    private readonly ToolProgram _tool = new() { Token = "hunter2" };
    private ApiHost _host = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() =>
        _host = await ApiHost.StartAsync(services => _database.AddTo(services).AddDeadLetterReplay());

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        await _database.DisposeAsync();
        _tool.Dispose();
    }

    [Fact]
    public async Task An_operator_lists_shows_replays_and_resolves_without_the_store()
    {
        var store = _database.Open().DeadLetters;
        DeadLetter[] letters = [.. Enumerable.Range(1, 3).Select(i => Refused($"Invoice {i} has no vatId"))];
        foreach (var letter in letters)
            await store.AddAsync(letter, Stop);

        var group = JsonNode.Parse((await ExpectAsync(0, ApiHost.Staff, "groups", "--json")).Output)!["groups"]![0]!;
        ((string)group["fingerprint"]!, (int)group["count"]!).ShouldBe((letters[0].Fingerprint, 3));
        (await ExpectAsync(0, ApiHost.Staff, "list", "--client", "billing")).Output.ShouldContain("Invoice 2 has no vatId");
        var shown = (await ExpectAsync(0, ApiHost.Operator, "show", letters[1].Id.ToString())).Output;
        shown.ShouldContain("Invoice 2 has no vatId");
        shown.ShouldContain("""{"currency":"EUX"}""");
        shown.ShouldContain(letters[1].Fingerprint);

        var seen = await ExpectAsync(0, ApiHost.Staff, "show", letters[1].Id.ToString());
        seen.Output.ShouldContain("""{"currency":"EUX"}""");
        seen.Error.ShouldContain("fields of its body that may hold secrets are struck out");

        (await ExpectAsync(0, ApiHost.Operator, "replay", letters[0].Id.ToString())).Output.ShouldContain("is due");
        var resolved = await ExpectAsync(
            0, ApiHost.Operator, "resolve", "--group", letters[0].Fingerprint, "--status", "needs-person", "--action", "Credited", "--yes");
        resolved.Output.ShouldContain("resolve, completed; by olga");
        resolved.Output.ShouldContain("2 of 2 taken");
        (await store.FindAsync(letters[1].Id, Stop))!.Resolution!.Action.ShouldBe("Credited");
        (await store.FindAsync(letters[0].Id, Stop))!.Resolution!.By.ShouldBe("olga");
        (await ExpectAsync(1, ApiHost.Operator, "resolve", letters[1].Id.ToString())).Error
            .ShouldContain("has changed: it is Resolved now");
        (await ExpectAsync(1, ApiHost.Operator, "show", Guid.CreateVersion7().ToString())).Error.ShouldContain("There is no letter");
    }

    [Fact]
    public async Task An_operator_corrects_a_letter_and_deletes_it_without_the_store()
    {
        var store = _database.Open().DeadLetters;
        var letter = Refused("a") with { FirstFailedAt = DateTimeOffset.UtcNow, LastFailedAt = DateTimeOffset.UtcNow };
        await store.AddAsync(letter, Stop);

        (await ExpectAsync(1, ApiHost.Operator, "edit", $"{letter.Id}", "--uri", "https://evil.test/x")).Error
            .ShouldContain("Client billing sends letters to https://api.example.com only");
        (await ExpectAsync(1, ApiHost.Operator, "edit", $"{letter.Id}", "--set-header", "Authorization: Bearer hunter2")).Error
            .ShouldContain("headers: Authorization carries a secret");
        (await ExpectAsync(1, ApiHost.Staff, "edit", $"{letter.Id}", "--set", "currency=EUR")).Error.ShouldContain("403");
        var edited = await ExpectAsync(
            0, ApiHost.Operator, "edit", $"{letter.Id}", "--set", "currency=EUR", "--method", "PUT", "--uri",
            "https://api.example.com/invoices/17", "--set-header", "X-A: 1");

        edited.Output.ShouldContain("""+ {"currency":"EUR"}""");
        var old = (await store.FindAsync(letter.Id, Stop))!;
        (old.Status, old.Resolution!.By).ShouldBe((DeadLetterStatus.Resubmitted, "olga"));
        var corrected = (await store.FindAsync(old.ReplacedBy!.Value, Stop))!;
        (corrected.Method, corrected.Uri.AbsolutePath).ShouldBe(("PUT", "/invoices/17"));
        corrected.Headers.ShouldContain(new KeyValuePair<string, string>("X-A", "1"));

        (await ExpectAsync(1, ApiHost.Staff, "purge", "--older-than", "0d", "--yes")).Error.ShouldContain("answers 403");
        (await ExpectAsync(1, ApiHost.Operator, "purge", "--yes")).Error.ShouldContain("No letter in");
        (await ExpectAsync(0, ApiHost.Operator, "purge", "--older-than", "0d", "--yes")).Output.ShouldContain("1 letter was deleted");
        (await store.FindAsync(letter.Id, Stop)).ShouldBeNull();
        var purge = (await _database.Open().Activity.ListAsync(null, 1, Stop)).ShouldHaveSingleItem();
        (purge.Action, purge.By, purge.Letters).ShouldBe(("Purge", "olga", 1));
    }

    [Fact]
    public async Task What_is_not_permitted_or_not_there_is_told()
    {
        var letter = Refused("a");
        await _database.Open().DeadLetters.AddAsync(letter, Stop);

        (await ExpectAsync(1, ApiHost.Staff, "replay", letter.Id.ToString())).Error.ShouldContain("answers 403");
        (await _tool.ExpectAsync(1, "letters", "list", "--url", $"{_host.Address}")).Error.ShouldContain(
            "answers 401: not signed in; set HTTP_RESILIENCE_TOKEN to a token.");
        (await ExpectAsync(2, ApiHost.Operator, "replay", letter.Id.ToString(), "--as", "mallory")).Error
            .ShouldContain("--as is for stores");
        (await _tool.ExpectAsync(1, "letters", "list", "--url", $"{_host.Address}elsewhere")).Error
            .ShouldContain("no API of HttpResilience");
        (await _tool.ExpectAsync(2, "letters", "list", "--url", "ftp://x")).Error.ShouldContain("not an absolute http or https URL");
        (await _tool.ExpectAsync(2, "letters", "list", "--url", "http://x", "--header", "secret")).Error.ShouldNotContain("secret");
        var away = await _tool.ExpectAsync(3, "letters", "list", "--url", $"http://me:hunter2@127.0.0.1:{Ports.Closed()}");
        away.Error.ShouldContain("does not answer");
        away.Error.ShouldNotContain("hunter2");
    }

    [Fact]
    public async Task The_token_goes_to_the_application_and_not_where_it_redirects_to()
    {
        List<string?> tokens = [];
        await using var host = await ApiHost.StartAsync(_ => { }, app => app.Map("/{**path}", context =>
        {
            tokens.Add(context.Request.Headers.Authorization);
            context.Response.Redirect("/sign-in");
            return Task.CompletedTask;
        }));

        var run = await _tool.ExpectAsync(1, "letters", "list", "--url", $"{host.Address}");

        run.Error.ShouldContain("answers 302: it leads to another address.");
        tokens.ShouldBe(["Bearer hunter2"]);
    }

    private Task<ToolRun> ExpectAsync(int exitCode, string person, params string[] command) =>
        _tool.ExpectAsync(exitCode, ["letters", .. command, "--url", $"{_host.Address}", "--header", $"X-User: {person}"]);

    private static DeadLetter Refused(string title) => Letters.Plain(status: DeadLetterStatus.RequiresReview) with
    {
        FailureClass = FailureClass.Validation,
        StopReason = StopReason.NotRetryable,
        StatusCode = 422,
        ErrorTitle = title,
        Headers = [new("Content-Type", "application/json")],
        Body = """{"currency":"EUX"}"""u8.ToArray(),
        Attempts = 1,
    };
}
