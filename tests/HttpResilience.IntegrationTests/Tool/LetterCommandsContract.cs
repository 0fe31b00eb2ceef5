using System.Text;
using System.Text.Json.Nodes;
using HttpResilience.IntegrationTests.Storage;

namespace HttpResilience.IntegrationTests.Tool;

/// <summary>The commands about letters, for every store.</summary>
public abstract class LetterCommandsContract : StorageContract
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UtcNow;

    private IDeadLetterStore Store => Storage.DeadLetters;

    private IHttpResilienceStorage Storage => field ??= Database.Open(application: "shop");

    private protected abstract string StoreOf(TestDatabase database);

    private ToolProgram Tool(int? columns = null, string? editor = null) =>
        new() { Store = StoreOf(Database), Columns = columns, Editor = editor };

    [Fact]
    public async Task An_operator_finds_a_cause_and_changes_its_letters_by_jobs_which_can_be_taken_back()
    {
        DeadLetter[] refused = [.. await Task.WhenAll(Enumerable.Range(1, 4).Select(i => AddAsync(Refused($"Invoice {i} has no vatId"))))];
        var other = await AddAsync(Refused("Currency EUX is unknown") with { ClientName = "payments" });
        using var tool = Tool();

        var groups = JsonNode.Parse((await tool.ExpectAsync(0, "letters", "groups", "--json")).Output)!["groups"]!.AsArray();
        var found = groups.Single(g => (string)g!["client"]! == "billing")!;
        string group = (string)found["fingerprint"]!;
        ((string)found["title"]!, (int)found["needsPerson"]!).ShouldBe(("Invoice # has no vatId", 4));

        // No instance runs: the job waits for one, and no letter is due before that.
        var first = await tool.ExpectAsync(0, "letters", "replay", "--group", group, "--first", "1", "--as", "alice", "--yes", "--json");
        first.Error.ShouldContain("Send again: 1 of 4 letters of 1 cause, of billing, the oldest from 2");
        first.Error.ShouldContain("It waits for one that runs AddDeadLetterReplay");
        var waiting = await Storage.Jobs.FindAsync(Guid.Parse((string)JsonNode.Parse(first.Output)!["id"]!), Stop);
        (waiting!.Application, waiting.Request.By, waiting.Request.MaxLetters, waiting.State)
            .ShouldBe(("shop", "alice", 1, LetterJobState.Running));
        (await StatusesAsync(refused)).ShouldAllBe(status => status == DeadLetterStatus.RequiresReview);

        // Nothing is sent to mark letters as dealt with: the tool does it where no instance does.
        var rest = await tool.ExpectAsync(
            0, "letters", "resolve", "--group", group, "--status", "needs-person", "--action", "Credited", "--as", "bob", "--yes");
        rest.Error.ShouldContain("4 of 4 taken, 0 left out");
        rest.Output.ShouldContain("resolve, completed; by bob");
        (await Store.FindAsync(other.Id, Stop))!.Status.ShouldBe(DeadLetterStatus.RequiresReview);
        (await Store.FindAsync(refused[0].Id, Stop))!.Resolution.ShouldNotBeNull().ShouldSatisfyAllConditions(
            r => r.Action.ShouldBe("Credited"), r => r.By.ShouldBe("bob"));

        string job = $"{(await Storage.Jobs.ListAsync(LetterJobState.Completed, 1, Stop))[0].Id}";
        rest.Error.ShouldContain($"To take it back: jobs undo {job}");
        (await tool.ExpectAsync(0, "jobs", "undo", job, "--application", "shop", "--as", "carol")).Output
            .ShouldContain("reopen, completed; by carol");
        (await StatusesAsync(refused)).ShouldAllBe(status => status == DeadLetterStatus.RequiresReview);
        (await tool.ExpectAsync(1, "jobs", "undo", $"{waiting.Id}", "--application", "shop")).Error.ShouldContain("cannot be undone");
    }

    [Fact]
    public async Task What_touches_many_asks_and_without_a_terminal_refuses()
    {
        DeadLetter[] letters = [await AddAsync(Refused("a")), await AddAsync(Refused("a"))];
        var done = await AddAsync(Refused("b") with
        {
            Status = DeadLetterStatus.Resolved,
            Resolution = new("Credited", null, "bob", Now.AddDays(-60)),
            LastFailedAt = Now.AddDays(-70),
        });
        using var tool = Tool();
        string[][] commands =
        [
            ["letters", "replay", "--client", "billing"], ["letters", "resolve", "--all"], ["letters", "purge"],
        ];

        foreach (string[] command in commands)
        {
            var run = await tool.ExpectAsync(2, command);
            run.Error.ShouldContain("There is no terminal to ask on, so nothing was done. Give --yes to do it.");
            run.Error.ShouldContain("the oldest from 2");
        }

        var refused = await tool.OnTerminalAsync("yes", "letters", "resolve", "--all");
        refused.ExitCode.ShouldBe(1, refused.ToString());
        refused.Output.ShouldContain("Type 2 to go on:");
        refused.Output.ShouldContain("Nothing was done.");
        (await StatusesAsync(letters)).ShouldAllBe(status => status == DeadLetterStatus.RequiresReview);

        var agreed = await tool.OnTerminalAsync("2", "letters", "resolve", "--all", "--action", "Credited", "--as", "carol");
        agreed.ExitCode.ShouldBe(0, agreed.ToString());
        agreed.Output.ShouldContain("resolve, completed; by carol");
        (await Store.FindAsync(letters[0].Id, Stop))!.Resolution!.By.ShouldBe("carol");

        var purged = await tool.ExpectAsync(0, "letters", "purge", "--older-than", "30d", "--yes");
        purged.Error.ShouldContain("Delete for good: 1 letter, the oldest from 2");
        purged.Output.ShouldContain("1 letter was deleted");
        (await Store.FindAsync(done.Id, Stop)).ShouldBeNull();
        (await tool.ExpectAsync(2, "letters", "purge", "--status", "open", "--yes")).Error.ShouldContain("are not deleted");
    }

    [Fact]
    public async Task A_letter_is_changed_only_in_the_version_that_was_seen()
    {
        var letter = await AddAsync(Refused("a"));
        await Store.UpdateAsync(letter with { SuggestedAction = "Call them" }, Stop);
        using var tool = Tool();

        foreach (string verb in (string[])["replay", "resolve", "edit"])
        {
            var run = await tool.ExpectAsync(1, "letters", verb, letter.Id.ToString(), "--if-version", "0");
            run.Error.ShouldContain("has changed: it is RequiresReview now, in version 1");
        }

        (await tool.ExpectAsync(0, "letters", "show", letter.Id.ToString())).Output.ShouldContain("Call them");
        await tool.ExpectAsync(0, "letters", "resolve", letter.Id.ToString(), "--if-version", "1");
        (await tool.ExpectAsync(1, "letters", "replay", letter.Id.ToString())).Error.ShouldContain("is already settled: Resolved");
    }

    [Fact]
    public async Task What_somebody_else_does_while_a_letter_is_edited_stays()
    {
        var letter = await AddAsync(Refused("a"));
        using var script = Tool();
        script.Write(
            "meanwhile", $"{ToolProgram.ForBash}\nhttp-resilience letters resolve {letter.Id} --as bob\nsed -i s/EUX/EUR/ \"$1\"\n");
        using var tool = Tool(editor: $"bash {script.PathOf("meanwhile")}");

        var run = await tool.ExpectAsync(1, "letters", "edit", letter.Id.ToString());

        run.Error.ShouldContain("has changed: it is Resolved now, in version 1; bob did 'Dealt with'");
        (await Store.ListAsync(new(), Stop)).ShouldHaveSingleItem().Status.ShouldBe(DeadLetterStatus.Resolved);
    }

    [Fact]
    public async Task A_letter_that_may_be_done_twice_is_left_out_until_somebody_has_looked()
    {
        var safe = await AddAsync(Refused("a"));
        var doubtful = await AddAsync(Refused("a") with { MayHaveBeenProcessed = true, IdempotencyKey = null });
        using var tool = Tool();

        (await tool.ExpectAsync(1, "letters", "replay", doubtful.Id.ToString())).Error.ShouldContain("Look there first");
        await tool.ExpectAsync(0, "letters", "replay", safe.Id.ToString());
        (await StatusesAsync([safe, doubtful])).ShouldBe([DeadLetterStatus.Pending, DeadLetterStatus.RequiresReview]);
        await tool.ExpectAsync(0, "letters", "replay", doubtful.Id.ToString(), "--looked");
        (await StatusesAsync([doubtful])).ShouldBe([DeadLetterStatus.Pending]);
    }

    [Fact]
    public async Task A_body_is_corrected_by_fields_from_a_file_or_in_the_editor_and_sent_with_a_new_key()
    {
        var letter = await AddAsync(Refused("a"));
        using var tool = Tool();

        (await tool.ExpectAsync(1, "letters", "edit", letter.Id.ToString(), "--set", "currency=EUX")).Error.ShouldContain("as before");
        (await tool.ExpectAsync(1, "letters", "edit", letter.Id.ToString(), "--set", "amount=many")).Error
            .ShouldContain("not of the same kind");
        (await tool.ExpectAsync(1, "letters", "edit", letter.Id.ToString(), "--set", "vat=1")).Error
            .ShouldContain("It has: currency, amount");
        (await tool.ExpectAsync(1, "letters", "edit", letter.Id.ToString(), "--body", tool.Write("bad.json", "{"))).Error
            .ShouldContain("not JSON");
        (await tool.ExpectAsync(1, "letters", "edit", letter.Id.ToString())).Error.ShouldContain("No editor is set");

        var edited = await tool.ExpectAsync(0, "letters", "edit", letter.Id.ToString(), "--set", "currency=EUR", "--as", "dora");
        edited.Output.ShouldContain("""- {"currency":"EUX","amount":1.50}""");
        edited.Output.ShouldContain("""+ {"currency":"EUR","amount":1.50}""");
        var old = (await Store.FindAsync(letter.Id, Stop))!;
        (old.Status, old.Resolution!.By).ShouldBe((DeadLetterStatus.Resubmitted, "dora"));
        var corrected = (await Store.FindAsync(old.ReplacedBy!.Value, Stop))!;
        (corrected.Status, corrected.IdempotencyKey == letter.IdempotencyKey).ShouldBe((DeadLetterStatus.Pending, false));
        Encoding.UTF8.GetString(corrected.Body!.Value.Span).ShouldBe("""{"currency":"EUR","amount":1.50}""");

        using var withEditor = Tool(editor: "sed -i s/EUR/USD/");
        await withEditor.ExpectAsync(0, "letters", "edit", corrected.Id.ToString());
        (await withEditor.ExpectAsync(1, "letters", "edit", corrected.Id.ToString())).Error.ShouldContain("cannot be corrected: Replaced");
    }

    [Fact]
    public async Task Method_address_and_header_fields_are_corrected_and_what_cannot_be_sent_is_told_at_once()
    {
        var letter = await AddAsync(Refused("a") with { Headers = [new("Content-Type", "application/json"), new("X-Old", "1")] });
        using var tool = Tool();
        string[] edit = ["letters", "edit", letter.Id.ToString()];

        var wrong = await tool.ExpectAsync(
            1, [.. edit, "--method", "P T", "--uri", "https://other.example.com/", "--set-header", "Cookie: hunter2", "--body",
                tool.Write("bad.json", "{")]);
        wrong.Error.ShouldContain("method: It is not a method of HTTP.");
        wrong.Error.ShouldContain("uri: Client billing sends letters to https://api.example.com only");
        wrong.Error.ShouldContain(
            "headers: Cookie carries a secret, which no letter keeps: the client adds its own when the letter is sent.");
        wrong.Error.ShouldContain("body: It is not JSON, as its content type says");
        wrong.Error.ShouldNotContain("hunter2");
        (await tool.ExpectAsync(1, [.. edit, "--remove-header", "X-B"])).Error.ShouldContain("has no such header field");
        (await tool.ExpectAsync(2, [.. edit, "--set-header", "hunter2"])).Error.ShouldNotContain("hunter2");
        (await Store.FindAsync(letter.Id, Stop))!.Version.ShouldBe(letter.Version);

        await tool.ExpectAsync(
            0, [.. edit, "--method", "PUT", "--uri", "https://api.example.com/b?x=1", "--remove-header", "x-old", "--set-header",
                "X-New: 2"]);

        var corrected = (await Store.FindAsync((await Store.FindAsync(letter.Id, Stop))!.ReplacedBy!.Value, Stop))!;
        (corrected.Method, corrected.Uri.PathAndQuery).ShouldBe(("PUT", "/b?x=1"));
        corrected.Headers.Select(h => $"{h.Key}: {h.Value}").ShouldBe(["Content-Type: application/json", "X-New: 2"]);
        corrected.Body!.Value.ToArray().ShouldBe(letter.Body!.Value.ToArray());
    }

    [Theory]
    [InlineData("utf-7")]
    [InlineData("x-user-defined")]
    [InlineData("none")]
    [InlineData("\"\"")]
    public async Task A_body_in_a_character_set_that_is_not_known_is_shown_and_corrected_where_it_is_text(string charset)
    {
        var letter = await AddAsync(Refused("a") with { Headers = [new("Content-Type", $"application/json; charset={charset}")] });
        var bytes = await AddAsync(Refused("b") with { Headers = letter.Headers, Body = new byte[] { 0xff, 0xfe, 0x80 } });
        using var tool = Tool();

        (await tool.ExpectAsync(0, "letters", "show", $"{letter.Id}")).Output.ShouldContain("EUX");
        (await tool.ExpectAsync(0, "letters", "show", $"{bytes.Id}")).Output.ShouldContain("3 bytes that are not text: FFFE80");
        await tool.ExpectAsync(0, "letters", "edit", $"{letter.Id}", "--set", "currency=EUR");

        (await Store.FindAsync((await Store.FindAsync(letter.Id, Stop))!.ReplacedBy!.Value, Stop))!.Body!.Value.ToArray()
            .ShouldBe("""{"currency":"EUR","amount":1.50}"""u8.ToArray());
    }

    [Fact]
    public async Task Every_word_of_the_filter_chooses_letters_and_a_wrong_one_is_told()
    {
        var letter = await AddAsync(Refused("Invoice 17 has no vatId") with
        {
            Tenant = "contoso",
            Tags = new Dictionary<string, string> { ["docType"] = "invoice" },
        });
        await AddAsync(Refused("Other") with
        {
            ClientName = "payments",
            Method = "PUT",
            Uri = new("https://other.example.com/x"),
            FailureClass = FailureClass.Conflict,
            StatusCode = 409,
            FirstFailedAt = Now.AddDays(-3),
            Status = DeadLetterStatus.Pending,
        });
        using var tool = Tool();
        string[][] filters =
        [
            ["--status", "needs-person"], ["--client", "billing"], ["--tenant", "contoso"], ["--host", "api.example.com"],
            ["--method", "POST"], ["--class", "validation"], ["--code", "422"], ["--text", "vatid"], ["--tag", "docType:invoice"],
            ["--since", "24h"], ["--group", letter.Fingerprint],
        ];

        foreach (string[] filter in filters)
        {
            var page = JsonNode.Parse((await tool.ExpectAsync(0, ["letters", "list", "--json", .. filter])).Output)!;
            page["letters"]!.AsArray().Select(l => (string)l!["id"]!).ShouldBe([letter.Id.ToString()], string.Join(' ', filter));
        }

        (await tool.ExpectAsync(2, "letters", "list", "--status", "broken")).Error.ShouldContain("--status: Allowed");
        (await tool.ExpectAsync(2, "letters", "list", "--since", "lately")).Error.ShouldContain("--since: It is a time");
        (await tool.ExpectAsync(2, "letters", "list", "--limit", "0")).Error.ShouldContain("from 1 to 1000");
        (await tool.ExpectAsync(2, "letters", "replay")).Error.ShouldContain("Which letters?");
        (await tool.ExpectAsync(2, "letters", "replay", letter.Id.ToString(), "--all")).Error.ShouldContain("not both");
        (await tool.ExpectAsync(1, "letters", "list", "--client", "nobody")).Error.ShouldContain("No letter in");
    }

    [Fact]
    public async Task Hostile_texts_are_shown_and_do_nothing()
    {
        string title = "\u001b[2J\u0007[red]fire[/] \u202egnp.exe\r\n" + new string('x', 10_000);
        await AddAsync(Refused(title) with
        {
            ErrorDetail = "[link=https://evil.example]here[/]\u001b]0;title\u0007",
            Tenant = "[bold]\u001b[31m",
            Tags = new Dictionary<string, string> { ["[b]"] = "=1+1\u009b31m" },
            SuggestedAction = "[invalid",
            Body = Encoding.UTF8.GetBytes("{\"a\": \"\u001b[2J\u202e\"}"),
        });
        using var tool = Tool(columns: 80);

        var list = await tool.ExpectAsync(0, "letters", "list");
        var groups = await tool.ExpectAsync(0, "letters", "groups");
        var id = JsonNode.Parse((await tool.ExpectAsync(0, "letters", "list", "--json")).Output)!["letters"]![0]!["id"]!;
        var show = await tool.ExpectAsync(0, "letters", "show", (string)id!);
        var csv = await tool.ExpectAsync(0, "letters", "export", "--format", "csv");

        foreach (var run in (ToolRun[])[list, groups, show, csv])
        {
            run.Output.ShouldNotContain('\u001b');
            run.Output.ShouldNotContain('\u0007');
            run.Output.ShouldNotContain('\u009b');
            run.Output.ShouldNotContain('\u202e');
        }

        foreach (var run in (ToolRun[])[list, groups])
        {
            run.Output.Split('\n').ShouldAllBe(line => line.Length <= 80);
            run.Output.Length.ShouldBeLessThan(4_000);
            run.Output.ShouldContain("[red]fire[/]");
        }

        show.Output.ShouldContain("⟨U+001B⟩[2J⟨U+202E⟩");
        show.Output.ShouldContain("[link=https://evil.example]here[/]");
        csv.Output.ShouldContain("\"⟨U+001B⟩[2J");
    }

    [Fact]
    public async Task A_table_fits_the_width_and_json_is_the_same_at_each()
    {
        for (int i = 0; i < 3; i++)
            await AddAsync(Refused($"The invoice {i} has a rather long reason, which says in many words what is wrong with it"));
        foreach (int width in (int[])[60, 80, 100, 160])
        {
            using var tool = Tool(columns: width);
            foreach (string command in (string[])["list", "groups"])
                (await tool.ExpectAsync(0, "letters", command)).Output.Split('\n').ShouldAllBe(line => line.Length <= width);
        }

        using var narrow = Tool(columns: 60);
        using var wide = Tool(columns: 160);
        (await narrow.ExpectAsync(0, "letters", "list", "--json")).Output.ShouldBe(
            (await wide.ExpectAsync(0, "letters", "list", "--json")).Output);
    }

    [Fact]
    public async Task An_empty_store_says_that_there_is_nothing()
    {
        (await Store.CountAsync(Stop)).ByStatus.Values.Sum().ShouldBe(0);
        using var tool = Tool();

        (await tool.ExpectAsync(1, "letters", "list")).Error.ShouldContain("No letter in");
        (await tool.ExpectAsync(1, "letters", "groups")).Error.ShouldContain("No open letter in");
        (await tool.ExpectAsync(1, "letters", "replay", "--all", "--yes")).Error.ShouldContain("No open letter in");
        (await tool.ExpectAsync(1, "letters", "purge", "--yes")).Error.ShouldContain("No letter in");
        (await tool.ExpectAsync(1, "letters", "export")).Error.ShouldContain("0 letters exported.");
        (await tool.ExpectAsync(1, "letters", "show", Guid.CreateVersion7().ToString())).Error.ShouldContain("There is no letter");
        (await tool.ExpectAsync(2, "letters", "show", "seventeen")).Error.ShouldContain("is not the beginning of an id");
    }

    [Fact]
    public async Task Letters_that_an_instance_sends_again_come_without_a_warning()
    {
        var letter = await AddAsync(Refused("a"));
        await Storage.Instances.SaveAsync(
            new()
            {
                Id = Guid.NewGuid(),
                Application = "shop",
                Name = "host 1",
                Replays = true,
                ReplaysFor = [],
                Clients = ["billing"],
                StartedAt = DateTimeOffset.UtcNow,
                SeenAt = DateTimeOffset.UtcNow,
            },
            Stop);
        using var tool = Tool();

        var run = await tool.ExpectAsync(0, "letters", "replay", letter.Id.ToString());

        run.Error.ShouldNotContain("Warning");
        run.Error.ShouldContain("An instance of the application that runs AddDeadLetterReplay sends what is due.");
    }

    private static DeadLetter Refused(string title) => Letters.Plain(host: "api.example.com", status: DeadLetterStatus.RequiresReview) with
    {
        Application = "shop",
        FailureClass = FailureClass.Validation,
        StopReason = StopReason.NotRetryable,
        StatusCode = 422,
        ErrorTitle = title,
        IdempotencyKey = "key-1",
        IdempotencyHeaderName = "Idempotency-Key",
        Headers = [new("Content-Type", "application/json"), new("Idempotency-Key", "key-1")],
        Body = """{"currency":"EUX","amount":1.50}"""u8.ToArray(),
        Attempts = 1,
        FirstFailedAt = Now.AddMinutes(-5),
        LastFailedAt = Now.AddMinutes(-5),
        DueAt = Now.AddMinutes(-5),
    };

    private async Task<DeadLetter> AddAsync(DeadLetter letter)
    {
        await Store.AddAsync(letter, Stop);
        return letter;
    }

    private async Task<IReadOnlyList<DeadLetterStatus>> StatusesAsync(IEnumerable<DeadLetter> letters) =>
        [.. (await Task.WhenAll(letters.Select(l => Store.FindAsync(l.Id, Stop)))).Select(l => l!.Status)];
}

public sealed class SqliteLetterCommandsTests : LetterCommandsContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => new(new SqliteTestDatabase());

    private protected override string StoreOf(TestDatabase database) => ((SqliteTestDatabase)database).Path;
}

public sealed class PostgreSqlLetterCommandsTests(PostgreSqlServer server) : LetterCommandsContract
{
    protected override ValueTask<TestDatabase> CreateAsync() => server.CreateDatabaseAsync();

    private protected override string StoreOf(TestDatabase database) => database.ConnectionString;
}
