namespace HttpResilience.Tool;

/// <summary>What the person who typed the command is to be told; the message is a sentence.</summary>
internal sealed class ToolException(string message, int exitCode = ExitCode.Failed, Exception? innerException = null)
    : Exception(message, innerException)
{
    internal int ExitCode => exitCode;
}
