using System.Net;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.Batches;

/// <summary>The example under "Batches" in the README, word for word.</summary>
public sealed class ReadmeExampleTests
{
    private const string Begin = "        // README\n", End = "        // end\n";

    [Fact]
    public async Task The_example_of_the_README_lists_the_bad_row()
    {
        using var chain = new Chain(client: c => c.ConfigurePrimaryHttpMessageHandler(() => new Api()));
        Row[] rows = [new("comp1", "001"), new("comp1", "002"), new("comp2", "001")];
        var invoices = new Invoices(chain.Client);
        var checkpoints = new InMemoryStorage().Checkpoints;
        IProgress<BatchProgress>? progress = null;
        var (hashOfFile, services) = ("e3b0c442", chain.Services);
        using var console = new StringWriter();
        var cancellationToken = TestContext.Current.CancellationToken;

        // README
        var report = await IsolatedBatch.RunAsync(rows, (row, token) => invoices.SendAsync(row, token), new BatchOptions<Row>
        {
            MaxParallelism = 8,
            Scope = (row, index) =>
                new() { IdempotencyKey = $"{row.Company}:{row.Number}", Tenant = row.Company, Tags = { ["rowNumber"] = index + 2 } },
            // an ICheckpointStore from the container; without it no progress is stored; the name is that of the source
            Checkpoint = new(checkpoints, $"invoices {hashOfFile}"),
            Services = services,
            Progress = progress,
        }, cancellationToken);

        foreach (var failure in report.Failures)
            console.WriteLine($"row {failure.Tags["rowNumber"]}, {failure.IdempotencyKey}: {failure.StatusCode} {failure.Error}");
        // end

        report.Succeeded.ShouldBe(2);
        console.ToString().ReplaceLineEndings("\n").ShouldBe("row 3, comp1:002: 422 no such currency\n");
        string source = Repository.Read("tests/HttpResilience.Tests/Batches/ReadmeExampleTests.cs").ReplaceLineEndings("\n");
        string shown = Repository.Read("README.md").ReplaceLineEndings("\n").Split("## Batches")[1].Split("```csharp\n")[1].Split("```")[0];
        string body =
            source[(source.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length)..source.IndexOf(End, StringComparison.Ordinal)];
        string.Join('\n', body.Split('\n').Select(l => l.StartsWith("        ", StringComparison.Ordinal) ? l[8..] : l))
            .Replace("console.", "Console.", StringComparison.Ordinal).ShouldBe(shown);
    }

    private sealed record Row(string Company, string Number);

    private sealed class Invoices(HttpClient http)
    {
        public async Task SendAsync(Row row, CancellationToken cancellationToken)
        {
            using var response = await http.PostAsync(
                new Uri("invoices", UriKind.Relative), new StringContent(row.Number), cancellationToken);
            response.EnsureSuccessStatusCode();
        }
    }

    private sealed class Api : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            await request.Content!.ReadAsStringAsync(cancellationToken) == "002"
                ? new(HttpStatusCode.UnprocessableEntity)
                {
                    Content = new StringContent("{\"title\":\"no such currency\"}", null, "application/problem+json")
                }
                : new(HttpStatusCode.Created);
    }
}
