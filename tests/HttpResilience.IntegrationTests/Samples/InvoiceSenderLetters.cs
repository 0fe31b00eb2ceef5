using System.Text.Json.Nodes;
using HttpResilience.IntegrationTests.Tool;

namespace HttpResilience.IntegrationTests.Samples;

/// <summary>
/// The sample with dead letters, and the tool on its store: of three invoices one is pending and one for review after the run.
/// </summary>
public abstract class InvoiceSenderLetters : IDisposable
{
    // With seed 3 the receiver of number 11 rejects every attempt; the currency of number 23 is invalid.
    private protected const string Invoices = """
        invoiceNumber,company,receiverName,receiver,currency,net,vat,dueDate
        2026-00010,placeholder-paints,Ipsum Foods,0208:9905224185,PLN,899.00,188.79,2026-11-16
        2026-00011,placeholder-paints,Ipsum Office Supplies,0208:9905224185,PLN,899.00,188.79,2026-11-16
        2026-00023,placeholder-paints,"Ipsum Tools, Inc.",0208:9905224185,EUX,899.00,188.79,2026-11-16
        """;

    private readonly ToolProgram _tool;

    protected InvoiceSenderLetters() =>
        _tool = new() { Store = Program.PathOf("invoices.deadletters.db"), Columns = 120 };

    private protected SampleProgram Program { get; } = new();

    public void Dispose()
    {
        Program.Dispose();
        _tool.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected async Task SendAsync()
    {
        await File.WriteAllTextAsync(Program.PathOf("invoices.csv"), Invoices, TestContext.Current.CancellationToken);
        var report = JsonNode.Parse((await ExpectAsync(0, "--dead-letters --csv invoices.csv --seed 3 --json")).Output)!;
        (report["accepted"]!.GetValue<int>(), report["deadLetters"]!.AsArray().Count, report["lost"]!.AsArray().Count,
            report["stored"]!.GetValue<int>()).ShouldBe((1, 2, 0, 1));
    }

    private protected Task<ToolRun> ToolAsync(string arguments) => _tool.RunAsync(arguments.Split(' '));

    private protected async Task<ToolRun> ToolAsync(int exitCode, string arguments) =>
        await _tool.ExpectAsync(exitCode, arguments.Split(' '));

    private protected async Task<string> OnlyAsync(string status) =>
        Text((await ListAsync(status)).ShouldHaveSingleItem()!, "id");

    private protected async Task<JsonArray> ListAsync(string status) =>
        JsonNode.Parse((await ToolAsync(0, $"letters list --status {status} --json")).Output)!["letters"]!.AsArray();

    private protected async Task NoneIsOpenAsync() =>
        (await ToolAsync(1, "letters groups")).Error.ShouldContain("No open letter");

    private protected string Write(string file, string text)
    {
        File.WriteAllText(Program.PathOf(file), text);
        return Program.PathOf(file);
    }

    private protected async Task FailsAsync(string arguments, string message) =>
        (await ExpectAsync(2, arguments)).Error.ShouldContain(message);

    private protected async Task<SampleProgram.Result> ExpectAsync(int exitCode, string arguments)
    {
        var result = await Program.RunAsync(arguments);
        result.ExitCode.ShouldBe(exitCode, $"{arguments}\n{result.Output}\n{result.Error}");
        return result;
    }

    private protected static string Text(JsonNode letter, string property) => letter[property]!.GetValue<string>();
}
