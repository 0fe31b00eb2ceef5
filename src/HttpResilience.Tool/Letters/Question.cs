using System.CommandLine;

namespace HttpResilience.Tool;

/// <summary>Asks before what destroys something or touches many.</summary>
internal static class Question
{
    internal static Option<bool> CreateYes() => new("--yes") { Description = "Do not ask. Needed where there is no terminal." };

    /// <param name="question">With number, hosts and the oldest.</param>
    /// <param name="answer">What has to be typed to go on.</param>
    /// <param name="yes">It was answered on the command line.</param>
    /// <exception cref="ToolException">The answer is another one, or nobody can be asked.</exception>
    internal static void Ask(string question, string answer, bool yes)
    {
        Output.Say(question);
        if (yes)
            return;
        if (!Output.CanAsk)
            throw new ToolException("There is no terminal to ask on, so nothing was done. Give --yes to do it.", ExitCode.Usage);
        Console.Error.Write($"Type {answer} to go on: ");
        if (Console.In.ReadLine()?.Trim() != answer)
            throw new ToolException("Nothing was done.");
    }
}
