using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace HttpResilience.IntegrationTests.Samples;

/// <summary>The dead-letter commands of the sample in the order of the README.</summary>
public sealed class InvoiceSenderTests : InvoiceSenderLetters
{
    [Fact]
    public async Task Finally_failed_invoices_are_stored_corrected_and_replayed_until_the_api_has_each_once()
    {
        await SendAsync();
        var (pending, review) = (await OnlyAsync("pending"), await OnlyAsync("review"));
        (pending["tags"]!["rowNumber"]!.GetValue<string>(), pending["statusCode"]!.GetValue<int>(), Text(pending, "title")).ShouldBe(
            ("3", 429, "The receiver accepts no more invoices now"));
        (review["tags"]!["rowNumber"]!.GetValue<string>(), Text(review, "suggestedAction"), Text(review, "detail"))
            .ShouldBe(("4", "Fix the data and resubmit", "currency: 'EUX' is not a currency that we invoice in."));

        var table = await ExpectAsync(0, "dead-letters list");
        table.Output.ShouldContain("2 shown. In invoices.deadletters.db: 1 pending, 1 for review, 0 closed.");
        table.Output.Split('\n').Where(line => line.StartsWith('│')).ShouldAllBe(line => line.Length == 80);

        // A prefix that distinguishes the two ids.
        var edited = await ExpectAsync(0, $"dead-letters edit {Text(review, "id")[..18]} --set currency=EUR");
        edited.Output.ShouldContain($"{Text(review, "id")} resubmitted as:");
        edited.Output.ShouldContain("row 4: accepted (201)");
        edited.Output.ShouldContain("The API's ledger has 2 invoices, each once.");

        var replayed = await ExpectAsync(0, "dead-letters replay --all --rate 100");
        replayed.Output.ShouldContain($"{Text(pending, "id")} row 3: accepted (201)");
        replayed.Output.ShouldContain("The API's ledger has 3 invoices, each once.");

        (await ListAsync("open")).ShouldBeEmpty();
        var (old, corrected) = ((await ListAsync("resubmitted")).ShouldHaveSingleItem()!, (await ListAsync("replayed"))[0]!);
        (Text(old, "replacedBy"), Text(corrected, "replaces")).ShouldBe((Text(corrected, "id"), Text(old, "id")));
        Text(corrected, "idempotencyKey").ShouldNotBe(Text(old, "idempotencyKey"));
        var shown = JsonNode.Parse((await ExpectAsync(0, $"dead-letters show {Text(corrected, "id")} --json")).Output)!;
        shown["body"]!["currency"]!.GetValue<string>().ShouldBe("EUR");
        (await ExpectAsync(0, $"dead-letters show {Text(old, "id")}")).Output.ShouldContain("replaced by ");

        // Invoices sent before are sent once more with the same keys.
        (await Program.RunAsync("--dead-letters --csv invoices.csv --seed 3")).Output.ShouldContain(
            "The API's ledger has 3 invoices, each once.");
    }
}

/// <summary>Letters are edited with an editor or from a file, and resolved.</summary>
public sealed class InvoiceSenderEditTests : InvoiceSenderLetters
{
    [Fact]
    public async Task A_letter_is_corrected_in_an_editor_or_by_a_file_or_resolved()
    {
        await SendAsync();
        var (pending, review) = (Text(await OnlyAsync("pending"), "id"), Text(await OnlyAsync("review"), "id"));
        await File.WriteAllTextAsync(Program.PathOf("not-an-invoice.json"), """{ "a": 1 }""", TestContext.Current.CancellationToken);

        (await Program.RunAsync($"dead-letters edit {review}", ("EDITOR", "true"), ("VISUAL", null))).ShouldSatisfyAllConditions(
            result => result.ExitCode.ShouldBe(2), result => result.Error.ShouldContain("The body is unchanged"));
        (await Program.RunAsync($"dead-letters edit {review}", ("EDITOR", null), ("VISUAL", null))).Error.ShouldContain(
            "No editor is configured: set EDITOR");
        (await ExpectAsync(1, $"dead-letters edit {review} --body not-an-invoice.json")).Output.ShouldContain(
            "review, for 0 s: 400 Validation, The body is not an invoice");
        review = Text(await OnlyAsync("review"), "id");
        (await Program.RunAsync($"dead-letters edit {review}", ("EDITOR", $"cp {Program.PathOf("good.json")}"), ("VISUAL", null))).Error
            .ShouldContain("The editor exited with code");
        await File.WriteAllTextAsync(Program.PathOf("good.json"), Good, TestContext.Current.CancellationToken);
        (await Program.RunAsync($"dead-letters edit {review}", ("EDITOR", $"cp {Program.PathOf("good.json")}"), ("VISUAL", null))).Output
            .ShouldContain("accepted (201)");
        (await ExpectAsync(0, $"dead-letters resolve {pending} --action Credited --notes 2026-00999 --who alice")).Output.ShouldContain(
            "resolved by alice: Credited");
        (await ExpectAsync(0, $"dead-letters show {pending}")).Output.ShouldContain("Credited, by alice: 2026-00999");

        (await ListAsync("open")).ShouldBeEmpty();
        await FailsAsync($"dead-letters replay {pending}", "is already settled: Resolved");
        await FailsAsync($"dead-letters resolve {review} --action Again", "is already settled: Resubmitted");
        await FailsAsync($"dead-letters edit {review} --set a=2", "is already settled: Resubmitted");
    }
}

/// <summary>A command that cannot be executed says why and changes nothing.</summary>
public sealed class InvoiceSenderErrorTests : InvoiceSenderLetters
{
    [Fact]
    public async Task An_invalid_command_is_rejected_and_changes_nothing()
    {
        await FailsAsync("dead-letters list", "There is no dead-letter store at invoices.deadletters.db. To create one");
        File.Exists(Program.PathOf("invoices.deadletters.db")).ShouldBeFalse();
        await SendAsync();
        var review = Text(await OnlyAsync("review"), "id");

        await FailsAsync("dead-letters show 0", "\"0\" is ambiguous");
        await FailsAsync("dead-letters show 7", "There is no dead letter 7.");
        await FailsAsync("dead-letters show row24", "is not the beginning of an id");
        await FailsAsync("dead-letters replay", "Give the letter to replay: an ID, or --all.");
        await FailsAsync($"dead-letters replay {review} --all", "Give the letter to replay: an ID, or --all.");
        await FailsAsync("dead-letters replay --all --rate 0", "--rate \"0\" is not a number from 0.001 to 1000.");
        await FailsAsync($"dead-letters edit {review} --set curency=EUR", "The body has no field \"curency\". It has: invoiceNumber,");
        await FailsAsync($"dead-letters edit {review} --set net=much", "\"much\" is not of the same JSON type as 899.00");
        await FailsAsync($"dead-letters resolve {review}", "--action");
        await FailsAsync("dead-letters list --status none", "none");
        await FailsAsync("--store other.db", "--store is for --dead-letters");
        await FailsAsync("dead-letters list --store invoices.csv", "is not a SQLite database");

        (await ListAsync("all")).Count.ShouldBe(2);
    }
}

/// <summary>The README shows the output of the program.</summary>
public sealed partial class InvoiceSenderReadmeTests : InvoiceSenderLetters
{
    [Fact]
    public async Task The_readme_shows_the_output_of_the_sample()
    {
        string readme = File.ReadAllText(Path.Combine(SampleProgram.Repository, "README.md"));
        string[] shown = readme[readme.IndexOf("$ head -26 ", StringComparison.Ordinal)..].Split("```")[0].Split(
            '\n', StringSplitOptions.RemoveEmptyEntries);
        await File.WriteAllLinesAsync(
            Program.PathOf("25.csv"),
            File.ReadLines(Path.Combine(SampleProgram.Repository, "samples/InvoiceSender/invoices.csv")).Take(26),
            TestContext.Current.CancellationToken);

        var seen = new List<string>();
        await SeeAsync("--dead-letters --csv 25.csv --seed 3");
        seen.AddRange(
            (await File.ReadAllLinesAsync(Program.PathOf("25.status.csv"), TestContext.Current.CancellationToken)).Select(WithoutLuck));
        await SeeAsync("dead-letters replay --all");
        await File.WriteAllTextAsync(
            Program.PathOf("25.csv"),
            (await File.ReadAllTextAsync(Program.PathOf("25.csv"), TestContext.Current.CancellationToken)).Replace("EUX", "EUR"),
            TestContext.Current.CancellationToken);
        await SeeAsync("--dead-letters --csv 25.csv --seed 3");
        await SeeAsync("dead-letters list");

        shown.Where(line => !line.StartsWith('$') && !line.StartsWith("Next: ")).Select(WithoutLuck).Except(seen).ShouldBeEmpty();

        async Task SeeAsync(string arguments) =>
            seen.AddRange((await Program.RunAsync(arguments, ("COLUMNS", "120"))).Output.Split('\n').Select(WithoutLuck));
    }

    // Ids, keys and times differ between runs, and the number of attempts depends on the speed of the machine.
    private static string WithoutLuck(string line) => Spaces().Replace(Times().Replace(Ids().Replace(line, "ID"), "N"), " ").Trim();

    [GeneratedRegex("[0-9a-f]{8}-[0-9a-f]{4}[-0-9a-f]*|in_[0-9]+|key [-_0-9A-Za-z]{43}")]
    private static partial Regex Ids();

    [GeneratedRegex(@"[0-9.]+ s\b|[0-9]+ requests?\b|due [-0-9]+ [0-9:]+")]
    private static partial Regex Times();

    [GeneratedRegex(" +")]
    private static partial Regex Spaces();
}
