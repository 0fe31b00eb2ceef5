using System.CommandLine;

namespace HttpResilience.Tool;

/// <summary>A command with examples, which its help ends with.</summary>
internal sealed class ToolCommand(string name, string description) : Command(name, description)
{
    /// <summary>Command lines without the name of the tool, each with what it does.</summary>
    internal required IReadOnlyList<Example> Examples { get; init; }

    /// <summary>Carries the command out; the result is the exit code.</summary>
    internal Func<ParseResult, CancellationToken, Task<int>> Run
    {
        init => SetAction(
            (parsed, cancellationToken) => ToolFailures.GuardAsync(() => value(parsed, cancellationToken), cancellationToken));
    }
}

/// <summary>An example of a command.</summary>
/// <param name="Line">The command line without the name of the tool.</param>
/// <param name="Meaning">What it does.</param>
internal sealed record Example(string Line, string Meaning);
