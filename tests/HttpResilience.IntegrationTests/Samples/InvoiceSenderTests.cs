using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace HttpResilience.IntegrationTests.Samples;

/// <summary>The whole way: the sample stores letters, the tool corrects and replays them, and the sample sends them.</summary>
public sealed class InvoiceSenderTests : InvoiceSenderLetters
{
    [Fact]
    public async Task Finally_failed_invoices_are_corrected_and_replayed_with_the_tool_and_sent_until_the_api_has_each_once()
    {
        await SendAsync();
        var groups = JsonNode.Parse((await ToolAsync(0, "letters groups --json")).Output)!["groups"]!.AsArray();
        groups.Select(group => Text(group!, "title")).Order().ShouldBe(
            ["The invoice is not valid", "The receiver accepts no more invoices now"]);
        (await ListAsync("waiting")).ShouldHaveSingleItem()!["tags"]!["rowNumber"]!.GetValue<string>().ShouldBe("3");

        (await ToolAsync(0, $"letters edit {(await OnlyAsync("needs-person"))[..18]} --set currency=EUR --as alice")).Error.ShouldContain(
            "none runs AddDeadLetterReplay");
        string quota = Text(groups.Single(group => Text(group!, "title") == "The receiver accepts no more invoices now")!, "fingerprint");
        (await ToolAsync(0, $"letters replay --group {quota} --as alice --yes")).Error.ShouldContain("1 of 1 letter of 1 cause");

        // The job is worked off by the process that sends.
        var sent = await ExpectAsync(0, "send-letters");
        sent.Output.ShouldBe("""
            2 letters sent, 2 accepted.
            The API's ledger has 3 invoices, each once.
            In invoices.deadletters.db: 0 pending, 0 for review.

            """);
        sent.Error.ShouldContain("Letters: 2/2, 2 accepted, 0 failed");

        await NoneIsOpenAsync();
        string corrected = Text((await ListAsync("replaced")).ShouldHaveSingleItem()!, "replacedBy");
        (await ListAsync("accepted")).Select(letter => Text(letter!, "id")).ShouldContain(corrected);
        (await ExpectAsync(0, "send-letters")).Output.ShouldContain("0 letters sent, 0 accepted.");

        // An invoice that its letter has settled is not sent from the file.
        (await Program.RunAsync("--dead-letters --csv invoices.csv --seed 3")).Output.ShouldContain(
            "The API's ledger has 3 invoices, each once.");
    }
}

/// <summary>Letters that are not accepted, and those that are dealt with in another way.</summary>
public sealed class InvoiceSenderRefusalTests : InvoiceSenderLetters
{
    [Fact]
    public async Task A_letter_that_is_refused_again_is_told_and_one_that_is_dealt_with_is_not_sent()
    {
        await SendAsync();
        await ToolAsync(0, $"letters resolve {await OnlyAsync("waiting")} --action Credited --notes 2026-00999 --as alice");
        string body = Write("not-an-invoice.json", """{ "a": 1 }""");
        await ToolAsync(0, $"letters edit {await OnlyAsync("needs-person")} --body {body}");

        var sent = await ExpectAsync(1, "send-letters");

        sent.Output.ShouldContain("1 letter sent, 0 accepted.");
        sent.Output.ShouldContain("In invoices.deadletters.db: 0 pending, 1 for review.");
        sent.Output.ShouldContain("http-resilience letters groups --store invoices.deadletters.db");
        await ExpectAsync(0, "--dead-letters --csv invoices.csv --seed 3");
        File.ReadAllText(Program.PathOf("invoices.status.csv")).ShouldContain("\"settled: Credited, by alice\"");
    }
}

/// <summary>A command that cannot be executed says why and changes nothing.</summary>
public sealed class InvoiceSenderErrorTests : InvoiceSenderLetters
{
    [Fact]
    public async Task An_invalid_command_is_rejected_and_changes_nothing()
    {
        await FailsAsync("send-letters", "There is no dead-letter store at invoices.deadletters.db. To create one");
        File.Exists(Program.PathOf("invoices.deadletters.db")).ShouldBeFalse();
        await SendAsync();

        await FailsAsync("--store other.db", "--store is for --dead-letters and the command send-letters");
        await FailsAsync("send-letters --store invoices.csv --api http://127.0.0.1:1/", "is not a SQLite database");
        await FailsAsync("send-letters --store invoices.csv", "are not addressed to the sample's own API. Give the API with --api URL.");
        await FailsAsync("send-letters --api example", "is not an absolute http or https URL");

        (await ListAsync("open")).Count.ShouldBe(2);
    }

    [Fact]
    public async Task Letters_for_another_api_are_left_as_they_are()
    {
        await SendAsync();
        await ToolAsync(0, $"letters edit {await OnlyAsync("needs-person")} --set currency=EUR");

        (await ExpectAsync(0, "send-letters --api http://127.0.0.1:1/")).Output.ShouldContain(
            "2 letters for another API: give it with --api URL.");

        (await ListAsync("waiting")).Count.ShouldBe(2);
    }
}

/// <summary>The README shows the output of the program.</summary>
public sealed partial class InvoiceSenderReadmeTests : InvoiceSenderLetters
{
    [Fact]
    public async Task The_readme_shows_the_output_of_the_sample_and_the_tool()
    {
        string readme = File.ReadAllText(Path.Combine(SampleProgram.Repository, "README.md"));
        string[] shown = readme[readme.IndexOf("$ head -26 ", StringComparison.Ordinal)..].Split("```")[0].Split(
            '\n', StringSplitOptions.RemoveEmptyEntries);
        string[] invoices = File.ReadAllLines(Path.Combine(SampleProgram.Repository, "samples/InvoiceSender/invoices.csv"));
        Write("25.csv", string.Join('\n', invoices.Take(26)));

        var seen = new List<string>();
        foreach (string command in shown.Where(line => line.StartsWith('$')).Select(line => line[2..]))
            seen.AddRange((await RunAsync(command)).Split('\n').Select(WithoutLuck));

        // The path of the program and the steps of the progress are those of a machine.
        shown.Where(line => line[0] != '$' && !line.StartsWith("To send what is due: ", StringComparison.Ordinal)
            && !line.StartsWith("Letters: ", StringComparison.Ordinal)).Select(WithoutLuck).Except(seen).ShouldBeEmpty();
        await NoneIsOpenAsync();
    }

    private async Task<string> RunAsync(string command)
    {
        string[] words = command.Split(' ');
        if (words[0] is "head" or "alias" or "export")
            return "";
        if (words[0] is "grep")
            return await File.ReadAllTextAsync(Program.PathOf("25.status.csv"), TestContext.Current.CancellationToken);
        if (words[0] is not "http-resilience")
        {
            string arguments = words[0] is "sender" ? command["sender ".Length..] : command.Split(" -- ")[1];
            var sent = await Program.RunAsync(arguments, ("COLUMNS", "120"));
            return sent.Output + sent.Error;
        }

        var run = await ToolAsync(ShortIds().Replace(command["http-resilience ".Length..], await IdToEditAsync(words)));
        return (run.Output + run.Error).Replace(Program.PathOf("") + Path.DirectorySeparatorChar, "", StringComparison.Ordinal);
    }

    private async Task<string> IdToEditAsync(string[] words) => words.Contains("edit") ? await OnlyAsync("needs-person") : "";

    // Ids, keys and times differ between runs, and the number of attempts depends on the speed of the machine.
    private static string WithoutLuck(string line) => Spaces().Replace(Times().Replace(Ids().Replace(line, "ID"), "N"), " ").Trim();

    [GeneratedRegex("[0-9a-f]{8}-[0-9a-f]{4}")]
    private static partial Regex ShortIds();

    [GeneratedRegex("[0-9a-f]{8}-[0-9a-f]{4}[-0-9a-f]*|in_[0-9]+|key [-_0-9A-Za-z]{43}")]
    private static partial Regex Ids();

    [GeneratedRegex(@"[0-9.]+ s\b|[0-9]+ requests?\b|due [-0-9]+ [0-9:]+|[-0-9]{10} [0-9:]{8} UTC|just now +|[0-9]+ minutes? ago +")]
    private static partial Regex Times();

    [GeneratedRegex(" +|─+")]
    private static partial Regex Spaces();
}
