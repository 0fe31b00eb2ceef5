namespace HttpResilience.Testing;

/// <summary>The dead letters of an <see cref="InMemoryStorage"/>.</summary>
internal sealed class InMemoryDeadLetterStore : InMemoryStore<IDeadLetterStore>, IDeadLetterStore
{
    private readonly TimeProvider _time;
    private readonly LetterSignal _signal = new();

    internal InMemoryDeadLetterStore(InMemoryConnection connection, TimeProvider time)
        : base(connection)
    {
        _time = time;
        Database.LetterArrived += _signal.Give;
        // The first wait ends at once: letters may have arrived before this connection was opened.
        _signal.Give();
    }

    public Task<bool> AddAsync(DeadLetter letter, CancellationToken cancellationToken) =>
        RunAsync(letter, () => Add(InMemoryLetter.Normalize(Connection.Application?.Owned(letter) ?? letter)), cancellationToken);

    public Task<DeadLetter?> FindAsync(Guid id, CancellationToken cancellationToken) =>
        RunAsync(id, () => Database.Letters.GetValueOrDefault(id), cancellationToken);

    public Task<IReadOnlyList<DeadLetter>> ListAsync(DeadLetterQuery query, CancellationToken cancellationToken) =>
        RunAsync<IReadOnlyList<DeadLetter>>(
            query,
            () =>
            [
                .. Database.Letters.Values.Reverse().Where(InMemoryLetter.Filter(query)).Take(query.Limit)
                    .Select(l => query.OmitBodies ? l with { Body = null } : l),
            ], cancellationToken);

    public Task<DeadLetterSearch> SearchAsync(DeadLetterQuery query, int atMost, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(atMost, 1);
        return RunAsync(query, () =>
        {
            var candidates = new DeadLetterQuery { Status = query.Status, Fingerprint = query.Fingerprint, Before = query.Before };
            DeadLetter[] looked = [.. Database.Letters.Values.Reverse().Where(InMemoryLetter.Filter(candidates)).Take(atMost)];
            DeadLetter[] found =
            [
                .. looked.Where(InMemoryLetter.Filter(query)).Take(query.Limit)
                    .Select(l => query.OmitBodies ? l with { Body = null } : l),
            ];
            return new DeadLetterSearch(
                found, looked.Length, found.Length == query.Limit ? found[^1].Id : looked.Length < atMost ? null : looked[^1].Id);
        }, cancellationToken);
    }

    public Task<IReadOnlyList<DeadLetter>> ClaimAsync(DeadLetterClaim claim, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(claim.Limit, 1);
        return RunAsync<IReadOnlyList<DeadLetter>>(claim, () =>
        {
            DeadLetter[] claimed = [.. Claimable(InMemoryLetter.Normalize(claim)).Select(l => InMemoryLetter.Claim(l, claim.LeaseUntil))];
            foreach (var letter in claimed)
                Database.Letters[letter.Id] = letter;
            return claimed;
        }, cancellationToken);
    }

    public Task<bool> UpdateAsync(DeadLetter letter, CancellationToken cancellationToken) => RunAsync(letter, () =>
    {
        bool updated = Update(letter);
        if (updated && letter.Status == DeadLetterStatus.Pending)
            Database.NotifyLetterArrived();
        return updated;
    }, cancellationToken);

    public Task<bool> CommitAsync(LetterCommit commit, CancellationToken cancellationToken) => RunAsync(commit, () =>
    {
        if (!commit.Changed.All(IsCurrent) || commit.Added.Any(l => Database.Letters.ContainsKey(l.Id))
            || (commit.Hold is { } hold && !IsLatest(Normalize(hold), commit.HoldBefore))
            || (commit.Pause is { } paused && !InMemoryErrorBudgetStore.IsLast(Connection, paused.ClientName, commit.PauseBefore))
            || (commit.Job is { } job && !SaveJob(job)))
            return false;
        if (commit.Pause is { } pause)
            InMemoryErrorBudgetStore.Save(Connection, pause);
        foreach (var letter in commit.Changed)
            Update(letter);
        foreach (var letter in commit.Added)
            Add(InMemoryLetter.Normalize(Connection.Application?.Owned(letter) ?? letter));
        if (commit.Hold is { } changed)
            Database.Holds[KeyOf(Normalize(changed))] = Normalize(changed);
        if (commit.Activity is { } activity)
            Note(activity);
        if (commit.Changed.Any(l => l.Status is DeadLetterStatus.Pending))
            Database.NotifyLetterArrived();
        return true;
    }, cancellationToken);

    private string Application => Connection.Application?.Name ?? "";

    private bool SaveJob(LetterJob job)
    {
        var stored = Database.Jobs.GetValueOrDefault(job.Id);
        if (stored is null ? job.Version != 0 || IsRunning(job) : job.Version != stored.Version)
            return false;
        Database.Jobs[job.Id] = job with
        {
            Application = stored?.Application ?? (job.Application.Length > 0 ? job.Application : Application),
            CreatedAt = StoredTime.Cut(job.CreatedAt),
            EndedAt = job.EndedAt is { } ended ? StoredTime.Cut(ended) : null,
            StopReason = StoredText.Storable(job.StopReason),
            Version = job.Version + 1,
        };
        return true;
    }

    private bool IsLatest(CircuitHold hold, CircuitHold? read) => Database.Holds.GetValueOrDefault(KeyOf(hold)) is not { } last
        || (last.At < hold.At && read is not null && last.At <= read.At);

    private (string Application, string ClientName, string Authority, string? Tenant) KeyOf(CircuitHold hold) =>
        (Application, hold.ClientName, hold.Authority, hold.Tenant);

    private static CircuitHold Normalize(CircuitHold hold) => hold with
    {
        ClientName = StoredText.Storable(hold.ClientName)!,
        Authority = StoredText.Storable(hold.Authority)!,
        Tenant = string.IsNullOrEmpty(hold.Tenant) ? null : StoredText.Storable(hold.Tenant),
        By = StoredText.Storable(hold.By)!,
        Note = StoredText.Storable(hold.Note),
        At = StoredTime.Cut(hold.At),
    };

    private bool IsRunning(LetterJob job) => Database.Jobs.Values.Any(
        j => j.State is LetterJobState.Running && j.Application == Application && j.Request.Query == job.Request.Query);

    public Task<int> PurgeAsync(
        DeadLetterQuery query, DateTimeOffset before, OperatorActivity? activity, CancellationToken cancellationToken) =>
        RunAsync(query, () =>
    {
        int purged = Settled(query, before).ToArray().Count(l => Database.Letters.Remove(l.Id));
        if (activity is not null && purged > 0)
            Note(activity with { Letters = purged });
        return purged;
    }, cancellationToken);

    public Task<SettledLetters> CountSettledAsync(
        DeadLetterQuery query, DateTimeOffset before, int atMost, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(atMost, 1);
        return RunAsync(query, () =>
        {
            DeadLetter[] settled = [.. Settled(query, before).Take(atMost)];
            return new SettledLetters(settled.Length, settled.Min(l => (DateTimeOffset?)l.FirstFailedAt));
        }, cancellationToken);
    }

    private IEnumerable<DeadLetter> Settled(DeadLetterQuery query, DateTimeOffset before) => Database.Letters.Values
        .Where(InMemoryLetter.Filter(query with { Before = null }))
        .Where(l => InMemoryLetter.SettledAt(l) is { } at && at < StoredTime.Cut(before));

    private void Note(OperatorActivity activity) => Database.Activity[activity.Id] = (Application, activity with
    {
        At = StoredTime.Cut(activity.At),
        By = StoredText.Storable(activity.By)!,
        Notes = StoredText.Storable(activity.Notes),
    });

    public Task<bool> KeepsByDefaultAsync(CancellationToken cancellationToken) =>
        RunAsync(null, () => Database.KeepsByDefault, cancellationToken);

    public Task<IReadOnlyList<string>> MissingKeysAsync(CancellationToken cancellationToken) => RunAsync<IReadOnlyList<string>>(
        null, () => [.. Database.Letters.Values.Where(InMemoryLetter.WaitsForKey).Select(l => l.ProtectedWith!).Distinct()],
        cancellationToken);

    public Task<int> ReleaseAsync(string keyId, DateTimeOffset dueAt, CancellationToken cancellationToken) => RunAsync(keyId, () =>
    {
        DeadLetter[] waiting =
            [.. Database.Letters.Values.Where(l => l.ProtectedWith == keyId && InMemoryLetter.WaitsForKey(l))];
        foreach (var letter in waiting)
        {
            Database.Letters[letter.Id] = letter with
            {
                Status = DeadLetterStatus.Pending,
                DueAt = StoredTime.Cut(dueAt),
                SuggestedAction = null,
                Version = letter.Version + 1,
            };
        }

        if (waiting.Length > 0)
            Database.NotifyLetterArrived();
        return waiting.Length;
    }, cancellationToken);

    public Task<DeadLetterCounts> CountAsync(CancellationToken cancellationToken) => RunAsync(null, () => new DeadLetterCounts(
        Counted.GroupBy(l => l.Status).ToDictionary(g => g.Key, g => g.LongCount()),
        Counted.Where(l => l.Status is DeadLetterStatus.Pending).Min(l => (DateTimeOffset?)l.DueAt)), cancellationToken);

    public Task<IReadOnlyList<DeadLetterGroup>> GroupsAsync(DeadLetterQuery query, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return RunAsync<IReadOnlyList<DeadLetterGroup>>(query, () =>
        {
            var groups = Database.Letters.Values.Where(InMemoryLetter.Filter(query with { Status = null, Before = null }))
                .Where(InMemoryLetter.IsOpen).GroupBy(l => l.Fingerprint).Select(InMemoryLetter.Group)
                .OrderByDescending(g => g.LastFailedAt).ThenBy(g => g.Fingerprint, StringComparer.Ordinal);
            return
            [
                .. CountedGroup.Fold(groups.Select(g => (g, CauseFamily.Of(Database.Letters[g.Newest]))), limit)
                    .Select(g => g.Of(Database.Letters[g.Newest] with { Body = null })),
            ];
        }, cancellationToken);
    }

    public Task<int> CompleteAsync(CancellationToken cancellationToken) => RunAsync(null, () => 0, cancellationToken);

    public Task<IReadOnlyList<DeadLetterBacklog>> BacklogAsync(CancellationToken cancellationToken) =>
        RunAsync<IReadOnlyList<DeadLetterBacklog>>(null, () =>
        [
            .. Database.Letters.Values.Where(l => l.Status is DeadLetterStatus.Pending or DeadLetterStatus.InProgress)
                .GroupBy(l => (l.ClientName, l.Authority, l.Application))
                .OrderBy(g => g.Key.ClientName, StringComparer.Ordinal).ThenBy(g => g.Key.Authority, StringComparer.Ordinal)
                .ThenBy(g => g.Key.Application, StringComparer.Ordinal)
                .Select(g => new DeadLetterBacklog(g.Key.Application, g.Key.ClientName, g.Key.Authority, g.Min(l => l.DueAt))),
        ], cancellationToken);

    public Task ProbeAsync(CancellationToken cancellationToken) => RunAsync(null, () => true, cancellationToken);

    public Task WaitForLettersAsync(TimeSpan atMost, CancellationToken cancellationToken) => StartAsync(atMost, async () =>
    {
        ThrowIfClosed();
        try
        {
            await _signal.GivenAfter(_signal.Taken).WaitAsync(atMost, _time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // The timeout has passed.
        }

        _signal.Take();
        return true;
    }, cancellationToken);

    private IEnumerable<DeadLetter> Counted =>
        Database.Letters.Values.Where(l => Connection.Application?.Counted.Contains(l.Application) != false);

    private IEnumerable<DeadLetter> Claimable(DeadLetterClaim claim)
    {
        long total = 0;
        return Due(claim).TakeWhile((letter, i) => (total += letter.Size) <= claim.MaxBytes || i == 0);
    }

    private IEnumerable<DeadLetter> Due(DeadLetterClaim claim)
    {
        var applications = Connection.Application?.ClaimedBy(claim);
        return Database.Letters.Values
            .Where(l => l.Status is DeadLetterStatus.Pending or DeadLetterStatus.InProgress
                && l.DueAt <= claim.Now && applications?.Contains(l.Application) != false
                && claim.Includes(new(l.ClientName, l.Authority)))
            .OrderBy(l => l.DueAt).ThenBy(l => l.Id).Take(claim.Limit);
    }

    private bool Add(DeadLetter letter)
    {
        bool added = Database.Letters.TryAdd(letter.Id, letter);
        if (added)
            Database.NotifyLetterArrived();
        return added;
    }

    private bool Update(DeadLetter letter)
    {
        if (!IsCurrent(letter))
            return false;
        Database.Letters[letter.Id] = InMemoryLetter.Change(Database.Letters[letter.Id], letter);
        return true;
    }

    private bool IsCurrent(DeadLetter letter) => Database.Letters.GetValueOrDefault(letter.Id)?.Version == letter.Version;
}
