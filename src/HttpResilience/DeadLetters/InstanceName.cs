namespace HttpResilience;

/// <summary>This process as people see it: the machine and the number of the process.</summary>
internal static class InstanceName
{
    internal static string Current { get; } = $"{Environment.MachineName}:{Environment.ProcessId}";
}
