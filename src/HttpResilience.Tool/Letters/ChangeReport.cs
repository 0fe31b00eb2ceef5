using System.Text.Json;

namespace HttpResilience.Tool;

/// <summary>What a command did to letters: the output of <c>--json</c>.</summary>
/// <param name="Done">How many were changed.</param>
/// <param name="By">The person.</param>
internal sealed record ChangeReport(int Done, string By)
{
    /// <summary>Prints it; 0 when something was done.</summary>
    /// <param name="did">What was done, such as "is due".</param>
    /// <param name="json">As JSON.</param>
    internal int Write(string did, bool json)
    {
        if (json)
            Console.WriteLine(JsonSerializer.Serialize(this, ToolJson.Default.ChangeReport));
        else
            Output.Write($"{LetterNumber.Of(Done)} {did}, as {By}.");
        return Done > 0 ? ExitCode.Done : ExitCode.Failed;
    }
}
