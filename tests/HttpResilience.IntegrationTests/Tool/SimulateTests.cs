using System.Text.Json.Nodes;

namespace HttpResilience.IntegrationTests.Tool;

/// <summary><c>simulate</c>: a configured client against the ways in which a host fails.</summary>
public sealed class SimulateTests : IDisposable
{
    private const string Two = """
        {
          "HttpResilience": {
            "Clients": {
              "careful": {
                "BaseAddress": "https://api.example.com/v1/",
                "DeadLetter": { "Enabled": true },
                "Routes": { "POST /exports/*": { "Retry": { "MaxRetryAttempts": 0 }, "CircuitBreaker": { "BreakDuration": null } } }
              },
              "none": { "Retry": { "MaxRetryAttempts": 0 }, "CircuitBreaker": { "BreakDuration": null } }
            }
          }
        }
        """;

    private readonly ToolProgram _tool = new();

    public SimulateTests() => _tool.Write("appsettings.json", Two);

    public void Dispose() => _tool.Dispose();

    [Fact]
    public async Task Settings_decide_how_many_calls_fail_and_how_long_they_wait()
    {
        var (careful, none) = (await ReportAsync("--client", "careful"), await ReportAsync("--client", "none"));

        Shape(none, "503 for 5 s").ShouldSatisfyAllConditions(
            s => Number(s, "failed").ShouldBe(Number(s, "calls")), s => Number(s, "load").ShouldBe(1, 0.2));
        Shape(careful, "503 for 5 s").ShouldSatisfyAllConditions(
            s => Number(s, "failed").ShouldBeLessThan(Number(s, "calls") / 2), s => Number(s, "longest").ShouldBeGreaterThan(1));
        Number(Shape(careful, "20 % fail at random"), "load").ShouldBeGreaterThan(1.1);
        foreach (var report in (JsonNode[])[careful, none])
        {
            Shape(report, "nothing fails").ShouldSatisfyAllConditions(
                s => Number(s, "failed").ShouldBe(0), s => Number(s, "load").ShouldBe(1, 0.1));
        }

        ((string)careful["leftOut"]![0]!).ShouldStartWith("DeadLetter: ");
        none["leftOut"]!.AsArray().ShouldBeEmpty();
        careful["shapes"]!.AsArray().Count.ShouldBe(15);
    }

    [Fact]
    public async Task The_same_seed_gives_the_same_figures_and_another_one_others()
    {
        string[] line = ["simulate", "appsettings.json", "--client", "careful", "--only", "random"];

        string first = (await _tool.ExpectAsync(0, line)).Output;

        (await _tool.ExpectAsync(0, line)).Output.ShouldBe(first);
        (await _tool.ExpectAsync(0, [.. line, "--seed", "2"])).Output.Replace("seed 2", "seed 1", StringComparison.Ordinal)
            .ShouldNotBe(first);
    }

    [Fact]
    public async Task The_request_decides_which_route_applies()
    {
        var (read, export) = (await ReportAsync("--client", "careful", "--only", "5 s"),
            await ReportAsync("--client", "careful", "--only", "5 s", "--request", "POST /exports/17"));

        ((string)export["request"]!).ShouldBe("POST https://api.example.com/v1/exports/17");
        Number(Shape(export, "503 for 5 s"), "failed").ShouldBe(Number(Shape(export, "503 for 5 s"), "calls"));
        Number(Shape(read, "503 for 5 s"), "failed").ShouldBeLessThan(Number(Shape(export, "503 for 5 s"), "failed"));
    }

    [Fact]
    public async Task A_wrong_command_line_is_told()
    {
        (await _tool.ExpectAsync(2, "simulate", "appsettings.json")).Error.ShouldContain("name one with --client: careful, none.");
        (await _tool.ExpectAsync(2, "simulate", "appsettings.json", "--client", "none", "--only", "earthquake")).Error
            .ShouldContain("503 for 5 s");
        (await _tool.ExpectAsync(2, "simulate", "appsettings.json", "--client", "none", "--request", "GO TO IT")).Error
            .ShouldContain("such as 'POST /orders'");
        (await _tool.ExpectAsync(2, "simulate", "appsettings.json", "--client", "none", "--seed", "x")).Error.ShouldContain("--seed 'x'");
    }

    private async Task<JsonNode> ReportAsync(params string[] options) => JsonNode.Parse(
        (await _tool.ExpectAsync(0, ["simulate", "appsettings.json", "--json", "--instances", "4", .. options])).Output)!;

    private static JsonNode Shape(JsonNode report, string name) =>
        report["shapes"]!.AsArray().Single(s => (string)s!["shape"]! == name)!;

    private static double Number(JsonNode shape, string name) => (double)shape[name]!;
}
