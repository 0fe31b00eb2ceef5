namespace HttpResilience.Tool;

/// <summary>An error whose message the tool prints as it is: one sentence for the person who typed the command.</summary>
internal sealed class ToolException(string message, int exitCode = ExitCode.Failed, Exception? innerException = null)
    : Exception(message, innerException)
{
    internal int ExitCode => exitCode;
}
