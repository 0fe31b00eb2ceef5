using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using HttpResilience.IntegrationTests.Tool;

namespace HttpResilience.IntegrationTests.Samples;

/// <summary>The sample is killed, resumed, and run with corrected rows against an API that keeps running.</summary>
public sealed class InvoiceSenderResumeTests : IDisposable
{
    private const string Header = "invoiceNumber,company,receiverName,receiver,currency,net,vat,dueDate";
    private const string Reason = "=HYPERLINK(\"http://example.com\"), \"no\"";
    private const int Invoices = 60;

    private readonly SampleProgram _program = new();
    private readonly ConcurrentDictionary<string, int> _asked = [], _stored = [];
    private readonly ConcurrentDictionary<string, Lazy<bool>> _keys = [];

    [Fact]
    public async Task A_killed_run_is_resumed_and_a_corrected_row_is_sent_alone()
    {
        var many = new TaskCompletionSource();
        await using var api = await StartAsync(() =>
        {
            if (_asked.Count >= 25) many.TrySetResult();
        });
        string send = $"--dead-letters --csv invoices.csv --json --api {api.Uri}";
        await WriteAsync(bad: "XXX");

        (await _program.RunAsync(send, many.Task)).ExitCode.ShouldNotBe(0);
        _asked.Count.ShouldBeLessThan(Invoices);

        var resumed = await ReportAsync($"{send} --resume");
        (Number(resumed, "accepted"), Number(resumed, "notSent"), resumed["rows"]!.AsArray().Count, resumed["lost"]!.AsArray().Count)
            .ShouldBe((Invoices - 1, 0, 1, 0));
        // The requests in flight at the kill are sent once more, with the same key, and those that a busy
        // machine let time out; not the 25 sent before.
        (_asked.Values.Sum() - Invoices).ShouldBeInRange(0, 24);
        EachIsThereOnce(Invoices - 1);
        Statuses().Count(status => status.TrimStart('"').StartsWith("sent", StringComparison.Ordinal)).ShouldBe(Invoices - 1);
        (await _program.RunAsync($"{send} --resume")).ShouldSatisfyAllConditions(
            result => result.ExitCode.ShouldBe(2), result => result.Error.ShouldContain("There is nothing to resume for invoices.csv"));

        // A new run: every result is remembered, including the rejection.
        var again = await ReportAsync(send);
        (Number(again, "requests"), Number(again, "accepted")).ShouldBe((0, Invoices - 1));
        var refused = again["rows"]!.AsArray().ShouldHaveSingleItem()!;
        (Number(refused, "row"), refused["status"]!.GetValue<string>(), refused["idempotencyKey"]).ShouldSatisfyAllConditions(
            row => row.Item1.ShouldBe(6), row => row.Item2.ShouldBe("422"), row => row.Item3.ShouldNotBeNull());
        refused["reason"]!.GetValue<string>().ShouldBe($"Not valid: {Reason}");
        Statuses().Count(status => status.StartsWith("\"sent, id in_", StringComparison.Ordinal)).ShouldBe(Invoices - 1);
        Statuses()[4].ShouldBe($"\"needs correction: Not valid: {Reason.Replace("\"", "\"\"")}\"");

        await WriteAsync(bad: "EUR");
        var corrected = await ReportAsync(send);
        (Number(corrected, "requests"), Number(corrected, "accepted"), corrected["rows"]!.AsArray().Count).ShouldBe((1, Invoices, 0));
        EachIsThereOnce(Invoices);
        (await _program.RunAsync($"send-letters --api {api.Uri}")).Output.ShouldContain("0 pending, 0 for review.");
    }

    [Fact]
    public async Task An_invoice_settled_by_a_corrected_letter_is_not_sent_from_the_file()
    {
        await using var api = await StartAsync(() => { });
        string send = $"--dead-letters --csv invoices.csv --json --api {api.Uri}";
        await WriteAsync(bad: "XXX");
        var letter = (await ReportAsync(send))["deadLetters"]!.AsArray().ShouldHaveSingleItem()!;
        using var tool = new ToolProgram { Store = _program.PathOf("invoices.deadletters.db") };
        await tool.ExpectAsync(0, "letters", "edit", $"{letter["id"]}", "--set", "currency=EUR");
        (await _program.RunAsync($"send-letters --api {api.Uri}")).Output.ShouldContain("1 letter sent, 1 accepted.");

        await WriteAsync(bad: "EUR");
        var again = await ReportAsync(send);

        (Number(again, "requests"), Number(again, "accepted")).ShouldBe((0, Invoices));
        Statuses()[4].ShouldStartWith("\"sent, as dead letter ");
        EachIsThereOnce(Invoices);
    }

    [Fact]
    public async Task Invoices_are_sent_even_if_the_status_file_cannot_be_written()
    {
        await using var api = await StartAsync(() => { });
        await WriteAsync(bad: "EUR");
        Directory.CreateDirectory(_program.PathOf("invoices.status.csv"));

        var result = await _program.RunAsync($"--dead-letters --csv invoices.csv --api {api.Uri}");

        (result.ExitCode, result.Error.Split("Cannot write invoices.status.csv, continuing without it: ").Length).ShouldBe((0, 2));
        EachIsThereOnce(Invoices);
        Directory.GetFiles(_program.PathOf("."), "*.tmp").ShouldBeEmpty();
    }

    public void Dispose() => _program.Dispose();

    private Task<FaultServer> StartAsync(Action asked) => FaultServer.StartAsync(new FaultScript().Decide(request =>
    {
        var invoice = JsonNode.Parse(request.Text)!;
        string number = invoice["invoiceNumber"]!.GetValue<string>();
        _asked.AddOrUpdate(number, 1, (_, times) => times + 1);
        asked();
        bool isGood = _keys.GetOrAdd(request.IdempotencyKey!, _ => new(() =>
        {
            bool isValid = invoice["currency"]!.GetValue<string>() == "EUR";
            if (isValid)
                _stored.AddOrUpdate(number, 1, (_, times) => times + 1);
            return isValid;
        })).Value;
        return (isGood
            ? Outcome.Json(201, new JsonObject { ["id"] = $"in_{number}", ["invoiceNumber"] = number }.ToJsonString())
            : Outcome.Json(422, new JsonObject { ["title"] = "Not valid", ["detail"] = Reason }.ToJsonString(),
                ("Content-Type", "application/problem+json")))
            .Delayed(TimeSpan.FromMilliseconds(20));
    }), new() { KeepsConnections = true }, TestContext.Current.CancellationToken);

    private Task WriteAsync(string bad) => File.WriteAllLinesAsync(
        _program.PathOf("invoices.csv"),
        [Header, .. Enumerable.Range(1, Invoices).Select(
            n => $"{n:D4},company,\"Receiver, Inc.\",0208:9905224185,{(n == 5 ? bad : "EUR")},1.00,0.00,2026-12-02")],
        TestContext.Current.CancellationToken);

    private async Task<JsonNode> ReportAsync(string arguments)
    {
        var result = await _program.RunAsync(arguments);
        result.ExitCode.ShouldBe(0, result.Error);
        return JsonNode.Parse(result.Output)!;
    }

    // The receiver contains a comma, so it is quoted.
    private string[] Statuses()
    {
        string[] lines = File.ReadAllLines(_program.PathOf("invoices.status.csv"));
        lines[0].ShouldBe($"{Header},status");
        return [.. lines.Skip(1).Select((line, i) =>
        {
            string row = $"{i + 1:D4},company,\"Receiver, Inc.\",0208:9905224185,";
            line.ShouldStartWith(row);
            return line[(line.IndexOf("2026-12-02,", StringComparison.Ordinal) + 11)..];
        })];
    }

    private void EachIsThereOnce(int invoices) => (_stored.Count, _stored.Values.Max()).ShouldBe((invoices, 1));

    private static int Number(JsonNode node, string property) => node[property]!.GetValue<int>();
}
