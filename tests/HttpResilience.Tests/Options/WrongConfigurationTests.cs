using System.Globalization;
using System.Text;
using HttpResilience.Tests.Clients;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HttpResilience.Tests.Options;

/// <summary>
/// A configuration that is wrong is refused with its path and a remedy, warned of, or understood: WrongConfiguration.txt has the inputs and
/// the words.
/// </summary>
public sealed class WrongConfigurationTests
{
    private static readonly IReadOnlyList<Case> Cases =
        [.. Read(Repository.Read("tests/HttpResilience.Tests/Options/WrongConfiguration.txt").Split('\n'))];

    public static TheoryData<string, string> Inputs => [.. Cases.Select(c => (c.Kind, c.Input))];

    [Theory, MemberData(nameof(Inputs))]
    public async Task It_is_refused_warned_of_or_right(string kind, string input)
    {
        var expected = Cases.Single(c => (c.Kind, c.Input) == (kind, input)).Words;
        using var logs = new LogCollector();
        using var host = Host(kind, input, logs);

        (await WordsOfAsync(host, logs, expected[0])).ShouldBe(expected, ignoreOrder: true);
    }

    [Fact]
    public void There_are_more_than_a_hundred_and_fifty_and_each_refusal_names_its_path()
    {
        Cases.Count.ShouldBeGreaterThan(150);
        Cases.SelectMany(c => c.Words).Where(w => w.StartsWith("refused: ", StringComparison.Ordinal))
            .ShouldAllBe(w => w.StartsWith("refused: HttpResilience", StringComparison.Ordinal));
    }

    private static async Task<IReadOnlyList<string>> WordsOfAsync(IHost host, LogCollector logs, string expected)
    {
        try
        {
            await host.StartAsync(TestContext.Current.CancellationToken);
        }
        catch (Exception e) when (e is OptionsValidationException or AggregateException)
        {
            return [.. StartTests.ProblemsOf(e).Distinct().Select(problem => $"refused: {problem}")];
        }

        string[] warnings = [.. logs.Entries.Where(e => e.Level >= LogLevel.Warning).Select(e => $"warned: {e.Message}")];
        string key = expected.Split(' ')[1];
        var values = HttpResilienceOptions.Keys.ValuesOf(
            host.Services.GetRequiredService<IOptionsMonitor<HttpResilienceOptions>>().Get("orders")).ToDictionary();
        await host.StopAsync(TestContext.Current.CancellationToken);
        return warnings.Length > 0 ? warnings
            : [values.TryGetValue(key, out object? value) ? $"right: {key} = {Show(value)}" : $"right: {key} is not there"];
    }

    private static string Show(object? value) =>
        value is IFormattable number ? number.ToString(null, CultureInfo.InvariantCulture) : value?.ToString() ?? "null";

    private static IHost Host(string kind, string input, LogCollector logs)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.SetMinimumLevel(LogLevel.Trace).AddProvider(logs);
        if (kind.StartsWith("an environment", StringComparison.Ordinal))
            AddVariable(builder.Configuration, input.Split('=', 2));
        else
            Array.ForEach(DocumentsOf(kind, input), d => builder.Configuration.AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(d))));
        builder.Services.AddResilientHttpClient("orders");
        builder.Services.AddResilientHttpClient("payments");
        return builder.Build();
    }

    private static string[] DocumentsOf(string kind, string input)
    {
        string[] parts = input.Split(" | ");
        return kind switch
        {
            "the whole file" => [input],
            "HttpResilience:Defaults | HttpResilience:Clients:orders" =>
                [$$"""{ "HttpResilience": { "Defaults": {{parts[0]}}, "Clients": { "orders": {{parts[1]}} } } }"""],
            _ => [.. parts.Select(part => $$"""{ "HttpResilience": { "Clients": { "orders": {{part}} } } }""")],
        };
    }

    // The prefix keeps the variable from all other hosts of the process.
    private static void AddVariable(ConfigurationManager configuration, string[] variable)
    {
        string prefix = $"{Guid.NewGuid():N}_";
        Environment.SetEnvironmentVariable(prefix + variable[0], variable[1]);
        configuration.AddEnvironmentVariables(prefix);
        Environment.SetEnvironmentVariable(prefix + variable[0], null);
    }

    private static IEnumerable<Case> Read(IEnumerable<string> lines)
    {
        string kind = "";
        Case? latest = null;
        foreach (string line in lines.Where(l => l.Length > 0 && l[0] != '#'))
        {
            if (line.StartsWith("  ", StringComparison.Ordinal))
            {
                latest!.Words.Add(line[2..]);
            }
            else if (line is ['[', .. var name, ']'] && !line.Contains('"'))
            {
                kind = name;
            }
            else
            {
                latest = new(kind, line, []);
                yield return latest;
            }
        }
    }

    private sealed record Case(string Kind, string Input, List<string> Words);
}
