namespace HttpResilience.Tests.Operations.ErrorBudgets;

/// <summary>Budgets in memory, for tests of one part. What a store has to do, the conformance suite shows on the real ones.</summary>
internal sealed class MemoryErrorBudgetStore : IErrorBudgetStore
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(string Client, DateTimeOffset Period, string Version, FailureClass Class), long> _counts = [];
    private readonly Dictionary<Guid, long> _writers = [];
    private readonly Dictionary<string, ErrorBudgetPause> _pauses = [];
    private readonly Dictionary<string, DeployedVersion> _versions = [];

    internal Exception? Fails { get; set; }

    /// <summary>What is asked for is done, and then told to have failed.</summary>
    internal bool LosesAnswers { get; set; }

    internal int Asked { get; private set; }

    internal List<ErrorBudgetUpdate> Updates { get; } = [];

    internal List<string> Loads { get; } = [];

    /// <summary>Called before the counts of a client are loaded.</summary>
    internal Action<string>? Loading { get; set; }

    internal IReadOnlyList<ErrorBudgetCount> Counts
    {
        get
        {
            lock (_gate)
                return [.. _counts.Select(c => new ErrorBudgetCount(c.Key.Client, c.Key.Version, c.Key.Period, c.Key.Class, c.Value))
                    .OrderBy(c => c.Period)];
        }
    }

    internal ErrorBudgetPause? PauseOf(string clientName)
    {
        lock (_gate)
            return _pauses.GetValueOrDefault(clientName);
    }

    internal void Put(params ErrorBudgetCount[] counts)
    {
        lock (_gate)
        {
            foreach (var count in counts)
                Add(count);
        }
    }

    public Task<bool> AddAsync(ErrorBudgetUpdate update, CancellationToken cancellationToken) => RunAsync(() =>
    {
        Updates.Add(update);
        if (_writers.GetValueOrDefault(update.Writer) >= update.Sequence)
            return false;
        _writers[update.Writer] = update.Sequence;
        foreach (var count in update.Counts)
            Add(count);
        return true;
    });

    public Task<IReadOnlyList<ErrorBudgetCount>> LoadAsync(string clientName, DateTimeOffset since,
        CancellationToken cancellationToken) => RunAsync<IReadOnlyList<ErrorBudgetCount>>(() =>
    {
        Loading?.Invoke(clientName);
        Loads.Add(clientName);
        return [.. Counts.Where(c => c.ClientName == clientName && c.Period >= since)];
    });

    public Task SetPauseAsync(ErrorBudgetPause pause, CancellationToken cancellationToken) => RunAsync(() =>
    {
        if (!(_pauses.GetValueOrDefault(pause.ClientName)?.At >= pause.At))
            _pauses[pause.ClientName] = pause;
        return true;
    });

    public Task<IReadOnlyList<ErrorBudgetPause>> PausesAsync(CancellationToken cancellationToken) =>
        RunAsync<IReadOnlyList<ErrorBudgetPause>>(() => [.. _pauses.Values]);

    public Task<IReadOnlyList<DeployedVersion>> StartedAsync(string version, DateTimeOffset at, CancellationToken cancellationToken) =>
        RunAsync<IReadOnlyList<DeployedVersion>>(() =>
    {
        _versions[version] = new(version, _versions.GetValueOrDefault(version)?.FirstSeenAt ?? at, at);
        return [.. _versions.Values.OrderByDescending(v => v.LastStartedAt)];
    });

    public Task<int> PurgeAsync(DateTimeOffset before, CancellationToken cancellationToken) => RunAsync(() =>
    {
        var old = _counts.Keys.Where(k => k.Period < before).ToList();
        old.ForEach(k => _counts.Remove(k));
        return old.Count;
    });

    private Task<T> RunAsync<T>(Func<T> run)
    {
        lock (_gate)
        {
            Asked++;
            if (Fails is { } e && !LosesAnswers)
                return Task.FromException<T>(e);
            var result = run();
            return Fails is { } lost ? Task.FromException<T>(lost) : Task.FromResult(result);
        }
    }

    private void Add(ErrorBudgetCount count)
    {
        var key = (count.ClientName, count.Period, count.Version, count.FailureClass);
        _counts[key] = _counts.GetValueOrDefault(key) + count.Calls;
    }
}
