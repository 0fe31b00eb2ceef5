namespace HttpResilience.Simulation;

/// <summary>What a shape did to the calls of a client, and they to the host.</summary>
internal sealed record ShapeResult
{
    /// <summary>Mean load while the host failed, as a multiple of the normal one.</summary>
    internal required double MeanIn { get; init; }

    /// <summary>Load in the worst second of that time.</summary>
    internal required double WorstIn { get; init; }

    /// <summary>Load in the worst second afterwards.</summary>
    internal required double WorstAfter { get; init; }

    /// <summary>The calls that began while the host failed.</summary>
    internal required CallFigures In { get; init; }

    /// <summary>The calls that began afterwards.</summary>
    internal required CallFigures After { get; init; }

    /// <summary>How many calls had no request at the host at once: in a delay, a queue or a break.</summary>
    internal required double MostWaiting { get; init; }

    /// <summary>How often a closed circuit opened, for each client.</summary>
    internal required double Trips { get; init; }

    /// <summary>Requests at the host in each second.</summary>
    internal IReadOnlyList<int> RequestsPerSecond { get; init; } = [];

    /// <summary>Calls that failed, by the second in which they began.</summary>
    internal IReadOnlyList<int> FailuresPerSecond { get; init; } = [];

    /// <summary>The mean of several runs.</summary>
    internal static ShapeResult MeanOf(IReadOnlyList<ShapeResult> runs) => runs is [var only] ? only : new()
    {
        MeanIn = runs.Average(r => r.MeanIn),
        WorstIn = runs.Average(r => r.WorstIn),
        WorstAfter = runs.Average(r => r.WorstAfter),
        In = CallFigures.MeanOf([.. runs.Select(r => r.In)]),
        After = CallFigures.MeanOf([.. runs.Select(r => r.After)]),
        MostWaiting = runs.Average(r => r.MostWaiting),
        Trips = runs.Average(r => r.Trips),
    };
}

/// <summary>How calls ended, and after how many seconds.</summary>
internal sealed record CallFigures(double Calls, double Failed, double P50, double P95, double P99, double Max)
{
    internal static CallFigures Of(IEnumerable<SimulatedCall> calls)
    {
        SimulatedCall[] all = [.. calls.OrderBy(c => c.Seconds)];
        return new(all.Length, all.Count(c => !c.Succeeded), At(0.5), At(0.95), At(0.99), At(1));

        // The nearest rank.
        double At(double part) => all.Length == 0 ? 0 : all[Math.Max(0, (int)Math.Ceiling(part * all.Length) - 1)].Seconds;
    }

    internal static CallFigures MeanOf(IReadOnlyList<CallFigures> all) => new(
        all.Average(f => f.Calls), all.Average(f => f.Failed), all.Average(f => f.P50), all.Average(f => f.P95), all.Average(f => f.P99),
        all.Average(f => f.Max));
}
