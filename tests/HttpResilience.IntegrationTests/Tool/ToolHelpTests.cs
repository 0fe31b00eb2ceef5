using System.Text.RegularExpressions;
using HttpResilience.Tests;

namespace HttpResilience.IntegrationTests.Tool;

/// <summary>The help of every command, and docs/tool.md.</summary>
public sealed class ToolHelpTests : IDisposable
{
    private readonly ToolProgram _tool = new();

    public void Dispose() => _tool.Dispose();

    [Fact]
    public async Task Every_command_stands_in_the_manual_with_its_options_and_ends_its_help_with_examples()
    {
        var sections = Regex.Matches(Repository.Read("docs/tool.md"), @"^### `(?<name>[a-z ]+)`\n(?<text>.*?)(?=^##|\z)",
            RegexOptions.Multiline | RegexOptions.Singleline).ToDictionary(m => m.Groups["name"].Value, m => m.Groups["text"].Value);
        List<string> commands = [];

        await foreach (var (name, help) in CommandsAsync([]))
        {
            commands.Add(name);
            sections.ShouldContainKey(name);
            OptionsIn(sections[name].Split("\n\n").Single(p => p.StartsWith("Options: ", StringComparison.Ordinal)))
                .ShouldBe(OptionsIn(help.Split("Options:")[1].Split("\n\n")[0]), ignoreOrder: true, name);
            string[] examples =
                [.. help.Split("Examples:")[1].Split('\n').Where(line => line.StartsWith("  http", StringComparison.Ordinal))];
            examples.ShouldNotBeEmpty(name);
            examples.ShouldAllBe(line => line.StartsWith($"  http-resilience {name}", StringComparison.Ordinal));
        }

        sections.Keys.ShouldBe(commands, ignoreOrder: true);
        commands.Count.ShouldBe(23);
    }

    [Fact]
    public async Task The_manual_never_shows_a_store_on_the_command_line()
    {
        Regex.Matches(Repository.Read("docs/tool.md"), "http-resilience .*--store[ =]").ShouldBeEmpty();

        await foreach (var (_, help) in CommandsAsync([]))
            help.Split("Examples:")[1].ShouldNotContain("--store ");
    }

    [Fact]
    public async Task Exit_codes_are_the_same_in_the_help_and_in_the_manual()
    {
        string help = Regex.Replace((await _tool.ExpectAsync(0, "--help")).Output, @"\s+", " ");

        foreach (var (code, meaning) in (ReadOnlySpan<(int, string)>)[(0, "done"), (1, "refused"), (2, "command line"), (3, "store"),
            (130, "interrupted")])
        {
            help.ShouldMatch($"{code}: [^.:]*{meaning}");
            Repository.Read("docs/tool.md").ShouldMatch($@"\| {code} \| [^|]*{meaning}");
        }
    }

    [Theory, InlineData("bash"), InlineData("zsh"), InlineData("pwsh")]
    public async Task A_shell_completes_the_words_of_the_tool(string shell)
    {
        (await _tool.ExpectAsync(0, "completion", shell)).Output.ShouldContain("[suggest:");

        string line = "http-resilience letters replay --sta";
        (await _tool.ExpectAsync(0, $"[suggest:{line.Length}]", line)).Output.Split('\n').ShouldContain("--status");
        line = "http-resilience letters list --status ";
        (await _tool.ExpectAsync(0, $"[suggest:{line.Length}]", line)).Output.Split('\n').ShouldContain("needs-person");
    }

    [Fact]
    public async Task Bash_runs_the_script()
    {
        string script = (await _tool.ExpectAsync(0, "completion", "bash")).Output;
        _tool.Write("script", script + """

            http-resilience() { printf -- '--status\n--since\n--json\n'; }
            COMP_WORDS=(http-resilience letters list --s) COMP_CWORD=3 COMP_LINE='http-resilience letters list --s' COMP_POINT=32
            _http_resilience
            echo "${COMPREPLY[@]}"
            """);

        (await _tool.InBashAsync("script")).Output.TrimEnd().ShouldBe("--status --since");
    }

    [Fact]
    public async Task A_misspelt_word_is_named_with_the_help_of_its_command()
    {
        (await _tool.ExpectAsync(2, "letters", "lits")).Error.ShouldContain("'lits'. See http-resilience letters --help.");
        (await _tool.ExpectAsync(2, "letters", "list", "--colour", "red")).Error.ShouldContain("'--colour'");
    }

    private async IAsyncEnumerable<(string Name, string Help)> CommandsAsync(string[] path)
    {
        string help = (await _tool.ExpectAsync(0, [.. path, "--help"])).Output;
        string[] below = help.Contains("\nCommands:", StringComparison.Ordinal)
            ? [.. Regex.Matches(help.Split("\nCommands:")[1], "^  ([a-z]+)", RegexOptions.Multiline).Select(m => m.Groups[1].Value)] : [];
        if (below.Length == 0)
            yield return (string.Join(' ', path), help);
        foreach (string name in below)
        {
            await foreach (var command in CommandsAsync([.. path, name]))
                yield return command;
        }
    }

    private static string[] OptionsIn(string text) =>
        [.. Regex.Matches(text, @"(?<![\w-])--[a-z][a-z-]+(?=[ `,<\n]|$)").Select(m => m.Value).Distinct().Where(o => o != "--help")];
}
