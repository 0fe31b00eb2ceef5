using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests;

/// <summary>What README shows under "Test your own client", word for word.</summary>
public sealed class ReadmeExampleTests
{
    // <readme>
    [Fact]
    public async Task An_invoice_gets_through_a_bad_day()
    {
        var clock = new ManualTimeProvider { SkipsWaits = true };   // waits and timeouts take no time
        var api = new FaultScript(clock).Status(503, retryAfter: TimeSpan.FromSeconds(30)).Reset().NeverAnswers().Status(201);
        var services = new ServiceCollection().AddSingleton<TimeProvider>(clock);
        services.AddResilientHttpClient<InvoiceClient>(options => options.BaseAddress = new("https://api.example.com/v1/"))
            .ConfigurePrimaryHttpMessageHandler(() => api);
        await using var provider = services.BuildServiceProvider();

        await provider.GetRequiredService<InvoiceClient>().SendAsync("""{ "number": "A-1" }""");

        HttpCallAssert.Attempts(api.Calls[0], 503, null, null, 201);   // null: no response
        HttpCallAssert.SameKeyOnEveryRequest(api.Requests);
        HttpCallAssert.WaitedAtLeast(api.Requests, TimeSpan.FromSeconds(30), TimeSpan.Zero, TimeSpan.FromSeconds(30));
    }
    // </readme>

    [Fact]
    public void The_example_of_the_readme_is_the_one_compiled_here()
    {
        string source = Repository.Read("tests/HttpResilience.Tests/Testing/ReadmeExampleTests.cs");
        string readme = Repository.Read("README.md");

        var lines = source.ReplaceLineEndings("\n").Split('\n').SkipWhile(l => l != "    // <readme>").Skip(1).TakeWhile(
            l => l != "    // </readme>");
        string example = string.Join('\n', lines.Select(l => l.Length > 4 ? l[4..] : l));

        example.ShouldStartWith("[Fact]");
        readme.ReplaceLineEndings("\n").ShouldContain($"```csharp\n{example}\n```", Case.Sensitive);
    }

    private sealed class InvoiceClient(HttpClient http)
    {
        public async Task SendAsync(string invoice)
        {
            using var response = await http.PostAsync("invoices", new StringContent(invoice, null, "application/json"));
            response.EnsureSuccessStatusCode();
        }
    }
}
