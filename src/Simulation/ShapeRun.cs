namespace HttpResilience.Simulation;

/// <summary>Makes one client, with a seed for its jitter, that notes the trips of its circuit.</summary>
/// <returns>Makes a call; whether it succeeded.</returns>
internal delegate Func<Task<bool>> CreateClient(SimulatedClients clients, VirtualTime time, int seed, TripCounter trips);

/// <summary>
/// One client, or many of one kind, call a host that fails in a shape, whether earlier calls succeeded or not. Virtual time.
/// </summary>
internal sealed class ShapeRun(Shape shape, ShapeLoad load, int seed)
{
    // The last calls end by their deadline.
    private readonly int[] _requests = new int[(int)shape.Length.TotalSeconds + 500];
    private readonly List<SimulatedCall> _calls = [];
    private readonly VirtualTime _time = new();
    private int _requestsIn;
    private int _begun;
    private int _mostWaiting;

    /// <param name="name">The name of the client, for the message about a call that does not end.</param>
    /// <param name="create">Makes a client.</param>
    internal ShapeResult Run(string name, CreateClient create)
    {
        var random = new Random(seed);
        using var host = new SimulatedHost(_time, _ =>
        {
            _requests[(int)_time.Elapsed.TotalSeconds]++;
            if (_time.Elapsed >= shape.From && _time.Elapsed < shape.To)
                _requestsIn++;
            return shape.AnswerAt(_time.Elapsed, random);
        });
        using var clients = new SimulatedClients(_time, host);
        var trips = new TripCounter();
        for (int i = 0; i < load.Clients; i++)
        {
            int own = seed * 1000 + i;
            BeginCalls(create(clients, _time, own, trips), new Random(own), host);
        }

        _time.Run();
        // Each call ends; one that does not is a defect of the simulation or of the client.
        if (_calls.Count != _begun)
            throw new InvalidOperationException($"{_begun - _calls.Count} calls of '{name}' have not ended.");
        return Result(trips.Trips);
    }

    private void BeginCalls(Func<Task<bool>> callAsync, Random random, SimulatedHost host)
    {
        void Next()
        {
            TimeSpan at = _time.Elapsed + TimeSpan.FromSeconds(-Math.Log(1 - random.NextDouble()) / load.CallRate);
            if (at >= shape.Length)
                return;
            _time.At(at, () =>
            {
                Observe(CallAsync(callAsync));
                _mostWaiting = Math.Max(_mostWaiting, _begun - _calls.Count - host.InFlight);
                Next();
            });
        }

        Next();
    }

    private async Task CallAsync(Func<Task<bool>> callAsync)
    {
        TimeSpan began = _time.Elapsed;
        _begun++;
        bool succeeded = await callAsync().ConfigureAwait(false);
        _calls.Add(new(began, (_time.Elapsed - began).TotalSeconds, succeeded));
    }

    // Rethrows an exception of the simulation itself.
    private static void Observe(Task call)
    {
        if (call.IsFaulted)
            call.GetAwaiter().GetResult();
    }

    private ShapeResult Result(int trips)
    {
        int[] during = _requests[(int)shape.From.TotalSeconds..(int)Math.Ceiling(shape.To.TotalSeconds)];
        int[] failures = new int[(int)Math.Ceiling(shape.Length.TotalSeconds)];
        foreach (var call in _calls)
            failures[(int)call.BeganAt.TotalSeconds] += call.Succeeded ? 0 : 1;
        return new()
        {
            MeanIn = _requestsIn / (shape.To - shape.From).TotalSeconds / load.Normal,
            WorstIn = during.Max() / load.Normal,
            WorstAfter = _requests[(int)Math.Ceiling(shape.To.TotalSeconds)..].Max() / load.Normal,
            In = CallFigures.Of(_calls.Where(c => c.BeganAt >= shape.From && c.BeganAt < shape.To)),
            After = CallFigures.Of(_calls.Where(c => c.BeganAt >= shape.To)),
            MostWaiting = _mostWaiting,
            Trips = (double)trips / load.Clients,
            RequestsPerSecond = _requests[..(int)shape.Length.TotalSeconds],
            FailuresPerSecond = failures,
        };
    }
}
