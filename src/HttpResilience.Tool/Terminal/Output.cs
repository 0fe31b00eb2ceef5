using System.Globalization;
using Spectre.Console;

namespace HttpResilience.Tool;

/// <summary>
/// Standard output holds what was asked for, standard error what happens meanwhile. To a file or pipe no escape sequences are written, and
/// the width there is COLUMNS, else 120.
/// </summary>
internal static class Output
{
    private const int WidthOfFile = 120;

    internal static IAnsiConsole Result { get; } = Open(Console.Out, Console.IsOutputRedirected);

    internal static IAnsiConsole Progress { get; } = Open(Console.Error, Console.IsErrorRedirected);

    /// <summary>Someone can be asked, and reads the question.</summary>
    internal static bool CanAsk => !Console.IsInputRedirected && !Console.IsErrorRedirected;

    /// <summary>A line on standard error. What comes from outside is made visible.</summary>
    internal static void Say(string line) => Console.Error.WriteLine(VisibleText.Of(line));

    /// <summary>A line on standard output.</summary>
    internal static void Write(string line) => Console.Out.WriteLine(VisibleText.Of(line));

    private static IAnsiConsole Open(TextWriter writer, bool isRedirected)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = isRedirected ? AnsiSupport.No : AnsiSupport.Detect,
            ColorSystem = isRedirected ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
            Interactive = isRedirected ? InteractionSupport.No : InteractionSupport.Detect,
        });
        if (isRedirected)
        {
            string? columns = Environment.GetEnvironmentVariable("COLUMNS");
            console.Profile.Width = int.TryParse(columns, CultureInfo.InvariantCulture, out int width) && width >= 40 ? width : WidthOfFile;
            // Lines of a table in a file: any editor and mail shows them.
            console.Profile.Capabilities.Unicode = true;
        }

        return console;
    }
}
