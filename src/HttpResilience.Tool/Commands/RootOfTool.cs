using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;

namespace HttpResilience.Tool;

/// <summary>The command line.</summary>
internal static class RootOfTool
{
    private const string Description = """
        For the people who operate clients on HttpResilience: shows, corrects, replays and resolves dead letters, holds hosts back,
        explains a configuration, and simulates it against the ways in which a host fails.

        Exit code 0: done. 1: refused, failed, or nothing was found. 2: the command line is wrong, or a question could not be asked
        (give --yes). 3: the store cannot be reached or used. 130: interrupted.
        """;

    internal static async Task<int> InvokeAsync(string[] args)
    {
        var parsed = Create().Parse(args);
        // --help and completion work on a line that is not complete.
        if (parsed is { Errors: [_, ..] errors, Action: ParseErrorAction })
        {
            // A misspelt word is the reason why another one is missing.
            var error = errors.FirstOrDefault(e => e.Message.StartsWith("Unrecognized", StringComparison.Ordinal)) ?? errors[0];
            string path = string.Join(' ', Commands(parsed.CommandResult));
            return ToolFailures.Fail($"{error.Message} See http-resilience {path}--help.", ExitCode.Usage);
        }

        return await parsed.InvokeAsync(new InvocationConfiguration
        {
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = TimeSpan.FromSeconds(10),
        }).ConfigureAwait(false);
    }

    internal static RootCommand Create()
    {
        var root = new RootCommand(Description.ReplaceLineEndings(" ").Replace("  ", "\n\n", StringComparison.Ordinal))
        {
            LettersCommand.Create(), JobsCommand.Create(), CircuitsCommand.Create(), PauseCommand.CreatePause(),
            PauseCommand.CreateResume(),
            ExplainCommand.Create(), SimulateCommand.Create(), CompletionCommand.Create(),
        };
        var help = root.Options.OfType<HelpOption>().Single();
        help.Action = new HelpWithExamples((HelpAction)help.Action!);
        return root;
    }

    private static IEnumerable<string> Commands(CommandResult result) =>
        result.Parent is CommandResult parent ? [.. Commands(parent), $"{result.Command.Name} "] : [];
}
