namespace HttpResilience.Simulation;

/// <summary>One client and its calls to an API with a number of places. Virtual time.</summary>
internal sealed class LoadRun(Benchmarks.LoadScenario scenario, int seed)
{
    private readonly VirtualTime _time = new();
    private readonly Random _arrivals = new(seed);
    private readonly Random _services = new(seed + 1_000_000);
    private readonly List<SimulatedCall> _calls = [];
    private int _begun;

    internal LoadResult Run(ConcurrencyMode mode)
    {
        using var host = new QueueingHost(
            _time, () => scenario.Places(_time.Elapsed), () => scenario.Service(_time.Elapsed, _services.NextDouble));
        using var clients = new SimulatedClients(_time, host);
        var client = clients.WithChain(seed, o => o.Concurrency.Mode = mode);
        _time.At(Benchmarks.LoadScenario.RestoredAt, host.Serve);
        Next(client);
        _time.Run();
        if (_calls.Count != _begun)
            throw new InvalidOperationException($"{_begun - _calls.Count} calls have not ended.");
        return new(_calls, host.Answered);
    }

    private void Next(HttpClient client)
    {
        TimeSpan at = _time.Elapsed + scenario.Next(_arrivals.NextDouble());
        if (at >= Benchmarks.LoadScenario.Length)
            return;
        _time.At(at, () =>
        {
            for (int i = 0; i < scenario.CallsAtOnce; i++)
            {
                var call = CallAsync(client);
                if (call.IsFaulted)
                    call.GetAwaiter().GetResult();
            }

            Next(client);
        });
    }

    private async Task CallAsync(HttpClient client)
    {
        TimeSpan began = _time.Elapsed;
        _begun++;
        bool succeeded = false;
        try
        {
            using var response = await client.GetAsync("http://api.test/").ConfigureAwait(false);
            succeeded = response.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            // A failed call is a result.
        }

        _calls.Add(new(began, (_time.Elapsed - began).TotalSeconds, succeeded));
    }
}

/// <summary>The calls and the requests of a run.</summary>
internal sealed record LoadResult(IReadOnlyList<SimulatedCall> Calls, IReadOnlyList<ServedRequest> Answered)
{
    /// <summary>The figures of the calls that began, and the requests that ended, in a time.</summary>
    internal LoadFigures In(TimeSpan from, TimeSpan to)
    {
        var calls = Calls.Where(c => c.BeganAt >= from && c.BeganAt < to).ToList();
        var served = Answered.Where(a => a.At >= from && a.At < to).ToList();
        double[] stays = [.. served.Select(a => a.Stayed).Order()];
        double[] waits = [.. calls.Where(c => c.Succeeded).Select(c => c.Seconds).Order()];
        return new()
        {
            Throughput = served.Count / (to - from).TotalSeconds,
            Queued = served.Count == 0 ? 0 : served.Average(a => a.Queued),
            Stayed = served.Count == 0 ? 0 : served.Average(a => a.Stayed),
            StayedP95 = At(stays, 0.95),
            P50 = 1000 * At(waits, 0.5),
            P99 = 1000 * At(waits, 0.99),
            Failed = calls.Count == 0 ? 0 : 100.0 * calls.Count(c => !c.Succeeded) / calls.Count,
        };
    }

    /// <summary>
    /// How many seconds after a time calls are as fast as normal again: in each second from then on none fails, and half of them take at
    /// most twice the normal time.
    /// </summary>
    internal int SecondsUntilNormal(TimeSpan from, double normal)
    {
        int first = (int)from.TotalSeconds, last = (int)Calls.Max(c => c.BeganAt.TotalSeconds);
        var seconds = Calls.ToLookup(c => (int)c.BeganAt.TotalSeconds);
        for (int second = last; second >= first; second--)
        {
            double[] times = [.. seconds[second].Select(c => c.Seconds).Order()];
            if (seconds[second].Any(c => !c.Succeeded) || 1000 * At(times, 0.5) > 2 * normal)
                return second + 1 - first;
        }

        return 0;
    }

    /// <summary>Milliseconds that the requests of each second were at the API, in the mean; 0 without one.</summary>
    internal IReadOnlyList<double> StayedPerSecond => PerSecond(s => s.Select(a => a.Stayed).DefaultIfEmpty().Average());

    /// <summary>The requests that were answered in each second.</summary>
    internal IReadOnlyList<double> AnsweredPerSecond => PerSecond(s => s.Count());

    private double[] PerSecond(Func<IEnumerable<ServedRequest>, double> value)
    {
        var seconds = Answered.ToLookup(a => (int)a.At.TotalSeconds);
        return [.. Enumerable.Range(0, (int)Benchmarks.LoadScenario.Length.TotalSeconds).Select(s => value(seconds[s]))];
    }

    private static double At(double[] sorted, double part) =>
        sorted.Length == 0 ? 0 : sorted[Math.Min(sorted.Length - 1, (int)(part * sorted.Length))];
}

/// <summary>Times are in milliseconds.</summary>
internal sealed record LoadFigures
{
    /// <summary>Requests answered per second.</summary>
    internal double Throughput { get; init; }

    /// <summary>The mean wait of a request in the queue of the API.</summary>
    internal double Queued { get; init; }

    /// <summary>The mean time of a request at the API, its queue included.</summary>
    internal double Stayed { get; init; }

    internal double StayedP95 { get; init; }

    /// <summary>Of the calls that succeeded, as the application sees them.</summary>
    internal double P50 { get; init; }

    internal double P99 { get; init; }

    /// <summary>Percent.</summary>
    internal double Failed { get; init; }

    internal static LoadFigures MeanOf(IReadOnlyList<LoadFigures> all) => new()
    {
        Throughput = all.Average(f => f.Throughput),
        Queued = all.Average(f => f.Queued),
        Stayed = all.Average(f => f.Stayed),
        StayedP95 = all.Average(f => f.StayedP95),
        P50 = all.Average(f => f.P50),
        P99 = all.Average(f => f.P99),
        Failed = all.Average(f => f.Failed),
    };
}
