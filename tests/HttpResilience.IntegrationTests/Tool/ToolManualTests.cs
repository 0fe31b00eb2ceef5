using System.Text;
using System.Text.RegularExpressions;
using HttpResilience.IntegrationTests.Storage;
using HttpResilience.Tests;

namespace HttpResilience.IntegrationTests.Tool;

/// <summary>The transcripts of docs/tool.md are what the tool prints.</summary>
public sealed class ToolManualTests
{
    private static readonly DateTimeOffset FailedAt = new(2026, 11, 26, 16, 20, 0, TimeSpan.Zero);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_transcripts_are_those_of_a_run()
    {
        await using var database = new SqliteTestDatabase();
        var storage = database.Open(application: "shop");
        var store = storage.DeadLetters;
        var letters = Enumerable.Range(1, 6).Select(LetterOf).ToList();
        foreach (var letter in letters)
            await store.AddAsync(letter, Stop);
        using var tool = new ToolProgram { Store = database.Path, Columns = 100 };
        string manual = Repository.Read("docs/tool.md");
        tool.Write("appsettings.json", Regex.Match(manual, "```json\n(.*?)```", RegexOptions.Singleline).Groups[1].Value);

        var received = new StringBuilder();
        foreach (string part in Regex.Split(manual, @"(?<=^```console\n)(.*?)(?=^```\n)", RegexOptions.Multiline | RegexOptions.Singleline))
        {
            // Seen just now, as it is while the application runs.
            await storage.Instances.SaveAsync(Instance() with { SeenAt = DateTimeOffset.UtcNow }, Stop);
            received.Append(part.StartsWith("$ ", StringComparison.Ordinal) ? await RunAsync(tool, part, letters[0].Fingerprint) : part);
        }

        // To be copied when a change is meant.
        await File.WriteAllTextAsync(Path.Combine(AppContext.BaseDirectory, "tool.received.md"), received.ToString(), Stop);
        received.ToString().ShouldBe(manual);
    }

    private static async Task<string> RunAsync(ToolProgram tool, string transcript, string group)
    {
        var run = new StringBuilder();
        foreach (string line in transcript.Split('\n').Where(line => line.StartsWith("$ ", StringComparison.Ordinal)))
        {
            string command = line.Replace("GROUP", group, StringComparison.Ordinal);
            tool.Write("command", $"{ToolProgram.ForBash}\n{command[2..]} 2>&1 </dev/null\n");
            string output = (await tool.InBashAsync("command")).Output;
            // The id of a corrected letter is new in each run.
            output = Regex.Replace(output, "(?<=is replaced by )[0-9a-f-]{36}", "019ac5d2-9c40-7000-8000-000000000001");
            output = Regex.Replace(output, "(?<=[Jj]ob )[0-9a-f-]{36}", "019ac5d2-9d50-7000-8000-000000000001");
            output = Regex.Replace(output, "(?<=by alice(, | since )).{19}(?= UTC)", "2026-11-26 16:30:00");
            run.Append(command).Append('\n');
            foreach (string printed in output.TrimEnd().Split('\n'))
                run.Append(printed.TrimEnd()).Append('\n');
            run.Append('\n');
        }

        return run.ToString().TrimEnd('\n') + "\n";
    }

    private static StorageInstance Instance() => new()
    {
        Id = Guid.Parse("019ac5d2-7a00-7000-8000-000000000001"),
        Application = "shop",
        Name = "shop-1:17",
        Clients = ["invoices", "payments"],
        PausableClients = ["invoices", "payments"],
        StartedAt = FailedAt,
        SeenAt = default,
        Report = new()
        {
            Clients = ["invoices", "payments"],
            Circuits =
            [
                new() { ClientName = "invoices", Authority = "https://billing.example.com", State = CircuitState.Closed },
                new()
                {
                    ClientName = "payments",
                    Authority = "https://pay.example.com",
                    State = CircuitState.Open,
                    Since = FailedAt.AddMinutes(6),
                },
            ],
        },
    };

    private static DeadLetter LetterOf(int number)
    {
        bool isInvoice = number <= 4;
        return Letters.Plain() with
        {
            Id = Guid.Parse($"019ac5d2-7b{number}e-7000-8000-000000000001"),
            Application = "shop",
            ClientName = isInvoice ? "invoices" : "payments",
            Uri = new(isInvoice ? "https://billing.example.com/v2/invoices" : $"https://pay.example.com/payments/{7000 + number}"),
            FailureClass = isInvoice ? FailureClass.Validation : FailureClass.Transient,
            StopReason = isInvoice ? StopReason.NotRetryable : StopReason.AttemptsExhausted,
            StatusCode = isInvoice ? 422 : 503,
            ErrorTitle = isInvoice ? $"Invoice {20416 + number} has no VAT id" : "Service Unavailable",
            ErrorDetail = isInvoice ? "vatId is required for customers in the EU." : null,
            IdempotencyKey = $"7f3a-{number}",
            IdempotencyHeaderName = "Idempotency-Key",
            Headers = [new("Content-Type", "application/json"), new("Idempotency-Key", $"7f3a-{number}")],
            LeftOut = ["Authorization"],
            Tags = new Dictionary<string, string> { ["row"] = $"{number}" },
            Body = Encoding.UTF8.GetBytes($"{{\n  \"number\": {20416 + number},\n  \"vatId\": null\n}}"),
            Attempts = isInvoice ? 1 : 4,
            FirstFailedAt = FailedAt.AddMinutes(number),
            LastFailedAt = FailedAt.AddMinutes(number),
            Status = isInvoice ? DeadLetterStatus.RequiresReview : DeadLetterStatus.Pending,
            DueAt = FailedAt.AddMinutes(10),
            SuggestedAction = isInvoice ? "Fix the data and resubmit" : null,
        };
    }
}
