using System.Text.Json.Nodes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace HttpResilience.IntegrationTests.Tool;

/// <summary><c>explain</c>: chains in words, and what is wrong with a configuration.</summary>
public sealed class ExplainTests : IDisposable
{
    private const string Everything = """
        {
          "HttpResilience": {
            "Defaults": { "AttemptTimeout": { "Timeout": "00:00:05" } },
            "Clients": {
              "orders": {
                "BaseAddress": "https://user:secret@api.example.com/v1/",
                "Retry": { "MaxRetryAttempts": 5, "Delay": "00:00:00.200" },
                "Idempotency": { "RememberFor": "7.00:00:00" },
                "Fallback": { "Enabled": true },
                "DeadLetter": { "Enabled": true, "Protect": true },
                "Hedging": { "Enabled": true },
                "RateLimiter": { "TokenBucket": { "TokenLimit": 10, "TokensPerPeriod": 5 } },
                "Concurrency": { "Mode": "Adaptive" },
                "Quota": { "Preset": "GitHub" },
                "Chaos": { "Enabled": true, "AllowInProduction": true },
                "Routes": { "POST /exports/*": { "TotalRequestTimeout": { "Timeout": "00:05:00" } } }
              },
              "catalog": { }
            }
          }
        }
        """;

    private const string Wrong = """
        {
          "HttpResilience": {
            "Clients": {
              "orders": {
                "Retry": {
                  "MaxRetryAttempt": 5,
                  "Budget": { "RetryRatio": 200 }
                }
              }
            }
          }
        }
        """;

    private readonly ToolProgram _tool = new();

    public void Dispose() => _tool.Dispose();

    [Fact]
    public async Task Every_stage_of_the_chain_is_explained_in_the_order_of_the_chain()
    {
        _tool.Write("appsettings.json", Everything);

        var explained = JsonNode.Parse((await _tool.ExpectAsync(0, "explain", "appsettings.json", "--client", "orders", "--json")).Output)!;

        var stages = explained["clients"]![0]!["stages"]!.AsArray();
        stages.Select(s => (string)s!["handler"]!).ShouldBe(
            ChainOfReadme());
        stages.ShouldAllBe(s => ((string)s!["words"]!).Length > 10);
    }

    [Fact]
    public async Task Settings_are_shown_with_the_line_that_they_stand_in_and_secrets_masked()
    {
        _tool.Write("appsettings.json", Everything);

        var run = await _tool.ExpectAsync(0, "explain", "appsettings.json");

        run.Output.ShouldContain("Retry:MaxRetryAttempts");
        run.Output.ShouldMatch(@"Retry:Delay +│ 00:00:00.2000000 +│ appsettings.json:7");
        run.Output.ShouldMatch(@"AttemptTimeout:Timeout +│ 00:00:05 +│ appsettings.json:3");
        run.Output.ShouldMatch(@"TotalRequestTimeout:Timeout +│ 00:05:00 +│ appsettings.json:16");
        run.Output.ShouldContain("up to 5 retries after 200 ms");
        (run.Output + run.Error).ShouldNotContain("secret");
        run.Error.ShouldContain("Note: orders: ");
        Directory.GetFiles(_tool.PathOf("")).Select(Path.GetFileName).ShouldBe(["appsettings.json"]);
    }

    [Fact]
    public async Task A_later_file_overrides_an_earlier_one()
    {
        _tool.Write("appsettings.json", Everything);
        _tool.Write("appsettings.Production.json", """{ "HttpResilience:Clients:orders:Retry:Delay": "00:00:03" }""");

        var run = await _tool.ExpectAsync(0, "explain", "appsettings.json", "appsettings.Production.json", "--client", "orders");

        run.Output.ShouldMatch(@"Retry:Delay +│ 00:00:03 +│ appsettings.Production.json:1");
    }

    [Fact]
    public async Task A_wrong_configuration_is_told_with_the_sentences_of_the_start_of_a_host_and_their_lines()
    {
        _tool.Write("wrong.json", Wrong);
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddJsonFile(_tool.PathOf("wrong.json")).Build());
        services.AddResilientHttpClient("orders");
        await using var host = services.BuildServiceProvider();
        var problems = Should.Throw<OptionsValidationException>(host.GetRequiredService<IStartupValidator>().Validate).Failures;

        string[] commands = ["explain", "simulate"];
        foreach (string command in commands)
        {
            var run = await _tool.ExpectAsync(1, command, "wrong.json", "--client", "orders");
            run.Error.TrimEnd().Split('\n').ShouldBe(
                problems.Select(p => $"wrong.json:{(p.Contains("RetryRatio", StringComparison.Ordinal) ? 7 : 6)}: {p}"), ignoreOrder: true);
        }

        var json = JsonNode.Parse((await _tool.ExpectAsync(1, "explain", "wrong.json", "--json")).Output)!;
        json["problems"]!.AsArray().Count.ShouldBe(problems.Count());
    }

    [Fact]
    public async Task Chaos_is_allowed_by_the_environment()
    {
        _tool.Write("chaos.json", """{ "HttpResilience": { "Clients": { "a": { "Chaos": { "Enabled": true } } } } }""");

        (await _tool.ExpectAsync(1, "explain", "chaos.json")).Error.ShouldContain("in the Production environment");
        await _tool.ExpectAsync(0, "explain", "chaos.json", "--environment", "Staging");
    }

    [Fact]
    public async Task A_file_or_a_client_that_is_not_there_is_told()
    {
        _tool.Write("appsettings.json", Everything);
        _tool.Write("broken.json", "{\n  \"a\": ,\n}");
        _tool.Write("empty.json", "{}");

        (await _tool.ExpectAsync(1, "explain", "none.json")).Error.ShouldContain("There is no file none.json.");
        (await _tool.ExpectAsync(1, "explain", "broken.json")).Error.ShouldContain("broken.json', line 2: ");
        (await _tool.ExpectAsync(1, "explain", "empty.json")).Error.ShouldContain("there is no client below HttpResilience:Clients");
        (await _tool.ExpectAsync(1, "explain", "appsettings.json", "--client", "ordres")).Error.ShouldContain("did you mean orders?");
        (await _tool.ExpectAsync(0, "explain", "appsettings.json", "--client", "billing")).Error.ShouldContain(
            "there is no section HttpResilience:Clients:billing");
        (await _tool.ExpectAsync(2, "explain")).Error.ShouldContain("See http-resilience explain --help.");
    }

    private static IEnumerable<string> ChainOfReadme() =>
        HttpResilience.Tests.Repository.Read("README.md").Split("## The chain\n")[1].Split("\n## ")[0].Split('\n')
            .Select(line => line.Trim().Split(' ')[0])
            .Where(word => word.EndsWith("Handler", StringComparison.Ordinal) && word != "SocketsHttpHandler");
}
