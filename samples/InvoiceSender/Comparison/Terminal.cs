using Spectre.Console;

namespace InvoiceSender;

/// <summary>A console that writes no escape sequence into a file or a pipe, and there is as wide as COLUMNS says, else 80.</summary>
internal static class Terminal
{
    public static IAnsiConsole Open(TextWriter writer)
    {
        var output = new AnsiConsoleOutput(writer);
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = output,
            Ansi = output.IsTerminal ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = output.IsTerminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = output.IsTerminal ? InteractionSupport.Detect : InteractionSupport.No,
        });
        if (!output.IsTerminal && int.TryParse(Environment.GetEnvironmentVariable("COLUMNS"), out var columns) && columns > 0) console.Profile.Width = columns;
        return console;
    }
}
