namespace HttpResilience.Benchmarks;

/// <summary>The commands, by their names.</summary>
internal static class Commands
{
    /// <exception cref="FormatException">The command is unknown.</exception>
    internal static Func<CommandOptions, Task<int>> Find(string name) => name switch
    {
        "cost" => options => Task.FromResult(CostCommand.Run(options)),
        "cost-server" => _ => LoopbackScenario.ServeAsync(),
        "allocations" => _ => Task.FromResult(AllocationCommand.Run()),
        "outage" => options => Task.FromResult(OutageCommand.Run(options)),
        "shapes" => options => Task.FromResult(ShapesCommand.Run(options)),
        "goals" => options => Task.FromResult(GoalsCommand.Run(options)),
        "quotas" => options => Task.FromResult(QuotaCommand.Run(options)),
        "concurrency" => options => Task.FromResult(ConcurrencyCommand.Run(options)),
        "drill" => options => Task.FromResult(DrillCommand.Run(options)),
        "learned" => options => Task.FromResult(LearnedCommand.Run(options)),
        "fallback" => FallbackCommand.RunAsync,
        "bodies" => _ => BodyCommand.RunAsync(),
        "alerts" => _ => AlertCommand.RunAsync(),
        "comparison" => ComparisonCommand.RunAsync,
        "soak" => SoakCommand.RunAsync,
        "storage" => options => StorageBenchmark.RunAsync(options.Letters ?? 1_000_000),
        "groups" => options => GroupBenchmark.RunAsync(options.Letters ?? 1_000_000),
        "health" => options => HealthBenchmark.RunAsync(options.Letters ?? 1_000_000),
        "drain" => options => DrainBenchmark.RunAsync(options.Letters ?? 50_000, options.Only),
        _ => throw new FormatException($"Unknown command '{name}'; see --help."),
    };
}
