using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace HttpResilience.Tool;

/// <summary>The help of System.CommandLine, and the examples of the command after it.</summary>
internal sealed class HelpWithExamples(HelpAction help) : SynchronousCommandLineAction
{
    public override int Invoke(ParseResult parseResult)
    {
        // The same for everyone: a page of the documentation holds it.
        help.MaxWidth = 100;
        int code = help.Invoke(parseResult);
        var output = parseResult.InvocationConfiguration.Output;
        if (parseResult.CommandResult.Command is ToolCommand { Examples.Count: > 0 } command)
        {
            output.WriteLine("Examples:");
            foreach (var example in command.Examples)
            {
                output.WriteLine($"  http-resilience {example.Line}");
                output.WriteLine($"      {example.Meaning}");
            }

            output.WriteLine();
        }

        return code;
    }
}
