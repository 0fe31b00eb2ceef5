namespace HttpResilience.Tests.DeadLetters;

/// <summary>Letters in memory, for tests of one part. What a store has to do, the conformance suite shows on the real ones.</summary>
internal sealed class MemoryDeadLetterStore : IDeadLetterStore
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<Guid, DeadLetter> _letters = [];
    private bool _isWoken;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal Exception? Fails { get; set; }

    internal Exception? CountFails { get; set; }

    internal bool Hangs { get; set; }

    /// <summary>What changes wait for.</summary>
    internal Task MayUpdate { get; set; } = Task.CompletedTask;

    internal List<DeadLetterClaim> Claims { get; } = [];

    internal IReadOnlyList<DeadLetter> Letters
    {
        get
        {
            lock (_gate)
                return [.. _letters.Values];
        }
    }

    internal DeadLetter Only => Letters.ShouldHaveSingleItem();

    public Task<bool> AddAsync(DeadLetter letter, CancellationToken cancellationToken) =>
        DoAsync(() => _letters.TryAdd(letter.Id, letter));

    public Task<DeadLetter?> FindAsync(Guid id, CancellationToken cancellationToken) => DoAsync(() => _letters.GetValueOrDefault(id));

    public Task<IReadOnlyList<DeadLetter>> ListAsync(DeadLetterQuery query, CancellationToken cancellationToken) => DoAsync<IReadOnlyList<DeadLetter>>(() =>
    [
        .. _letters.Values.Reverse()
            .Where(l => (query.Before is null || l.Id.CompareTo(query.Before.Value) < 0) && (query.Status is null || l.Status == query.Status)).Take(query.Limit),
    ]);

    public Task<IReadOnlyList<DeadLetter>> ClaimAsync(DeadLetterClaim claim, CancellationToken cancellationToken) => DoAsync<IReadOnlyList<DeadLetter>>(() =>
    {
        Claims.Add(claim);
        DeadLetter[] claimed =
        [
            .. _letters.Values
                .Where(l => l.Status is DeadLetterStatus.Pending or DeadLetterStatus.InProgress && l.DueAt <= claim.Now && claim.Includes(new(l.ClientName, l.Authority)))
                .OrderBy(l => l.DueAt).Take(claim.Limit)
                .Select(l => l with { Status = DeadLetterStatus.InProgress, DueAt = claim.LeaseUntil, Version = l.Version + 1 }),
        ];
        foreach (var letter in claimed)
            _letters[letter.Id] = letter;
        return claimed;
    });

    public async Task<bool> UpdateAsync(DeadLetter letter, CancellationToken cancellationToken)
    {
        await MayUpdate;
        return await DoAsync(() => Update(letter));
    }

    public Task<bool> ReplaceAsync(DeadLetter letter, DeadLetter replacement, CancellationToken cancellationToken) =>
        DoAsync(() => Update(letter) && _letters.TryAdd(replacement.Id, replacement));

    public Task<int> PurgeAsync(DateTimeOffset before, CancellationToken cancellationToken) => DoAsync(() =>
    {
        Guid[] done = [.. _letters.Values.Where(l => l.Status > DeadLetterStatus.RequiresReview && l.LastFailedAt < before).Select(l => l.Id)];
        return done.Count(_letters.Remove);
    });

    public Task<DeadLetterCounts> CountAsync(CancellationToken cancellationToken) => CountFails is { } failure ? Task.FromException<DeadLetterCounts>(failure) : DoAsync(() => new DeadLetterCounts(
        _letters.Values.GroupBy(l => l.Status).ToDictionary(g => g.Key, g => g.LongCount()),
        _letters.Values.Where(l => l.Status is DeadLetterStatus.Pending).Select(l => (DateTimeOffset?)l.DueAt).Min()));

    public Task WaitForLettersAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            // Nobody waited when it was woken: that is told to the next who does.
            if (!_isWoken)
                return _changed.Task.WaitAsync(cancellationToken);
            _isWoken = false;
            return Task.CompletedTask;
        }
    }

    /// <summary>As if time had passed, or somebody had added a letter.</summary>
    internal void WakeUp()
    {
        TaskCompletionSource changed;
        lock (_gate)
            (_isWoken, changed, _changed) = (true, _changed, new(TaskCreationOptions.RunContinuationsAsynchronously));
        changed.TrySetResult();
    }

    private bool Update(DeadLetter letter)
    {
        if (_letters.GetValueOrDefault(letter.Id) is not { } stored || stored.Version != letter.Version)
            return false;
        _letters[letter.Id] = letter with { Version = letter.Version + 1 };
        return true;
    }

    private Task<T> DoAsync<T>(Func<T> action)
    {
        if (Hangs)
            return new TaskCompletionSource<T>().Task;
        if (Fails is { } failure)
            return Task.FromException<T>(failure);
        lock (_gate)
            return Task.FromResult(action());
    }
}
