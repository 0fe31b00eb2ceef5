namespace HttpResilience.Benchmarks;

/// <summary>What the project does beside the benchmarks.</summary>
internal static class Commands
{
    /// <exception cref="FormatException">There is no such command.</exception>
    internal static Func<CommandOptions, Task<int>> Find(string name) => name switch
    {
        "outage" => options => Task.FromResult(OutageCommand.Run(options)),
        "drill" => options => Task.FromResult(DrillCommand.Run(options)),
        "fallback" => FallbackCommand.RunAsync,
        "alerts" => _ => AlertCommand.RunAsync(),
        "soak" => SoakCommand.RunAsync,
        "storage" => options => StorageBenchmark.RunAsync(options.Letters ?? 1_000_000),
        "drain" => options => DrainBenchmark.RunAsync(options.Letters ?? 5_000),
        _ => throw new FormatException($"There is no command '{name}'; see --help."),
    };
}
