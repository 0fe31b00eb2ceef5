namespace HttpResilience.CrashWorker;

/// <summary>Wraps the store and halts the process at one moment before or after a step, until the test kills it.</summary>
internal sealed class HaltingStore(IDeadLetterStore store, Moment? haltsAt) : IDeadLetterStore
{
    public async Task<bool> AddAsync(DeadLetter letter, CancellationToken cancellationToken)
    {
        await PassAsync(Moment.BeforeKeeping);
        bool added = await store.AddAsync(letter, cancellationToken);
        await PassAsync(Moment.AfterKeeping);
        return added;
    }

    public async Task<IReadOnlyList<DeadLetter>> ClaimAsync(DeadLetterClaim claim, CancellationToken cancellationToken)
    {
        var letters = await store.ClaimAsync(claim, cancellationToken);
        if (letters.Count > 0)
            await PassAsync(Moment.AfterClaiming);
        return letters;
    }

    public async Task<bool> UpdateAsync(DeadLetter letter, CancellationToken cancellationToken)
    {
        if (letter.Status is DeadLetterStatus.InProgress)
            return await store.UpdateAsync(letter, cancellationToken);
        await PassAsync(Moment.BeforeResult);
        bool updated = await store.UpdateAsync(letter, cancellationToken);
        await PassAsync(Moment.AfterResult);
        return updated;
    }

    public Task<DeadLetter?> FindAsync(Guid id, CancellationToken cancellationToken) => store.FindAsync(id, cancellationToken);

    public Task<IReadOnlyList<DeadLetter>> ListAsync(DeadLetterQuery query, CancellationToken cancellationToken) =>
        store.ListAsync(query, cancellationToken);

    public Task<bool> CommitAsync(LetterCommit commit, CancellationToken cancellationToken) => store.CommitAsync(commit, cancellationToken);

    public Task<DeadLetterSearch> SearchAsync(DeadLetterQuery query, int atMost, CancellationToken cancellationToken) =>
        store.SearchAsync(query, atMost, cancellationToken);

    public Task<int> PurgeAsync(
        DeadLetterQuery query, DateTimeOffset before, OperatorActivity? activity, CancellationToken cancellationToken) =>
        store.PurgeAsync(query, before, activity, cancellationToken);

    public Task<SettledLetters> CountSettledAsync(
        DeadLetterQuery query, DateTimeOffset before, int atMost, CancellationToken cancellationToken) =>
        store.CountSettledAsync(query, before, atMost, cancellationToken);

    public Task<bool> KeepsByDefaultAsync(CancellationToken cancellationToken) => store.KeepsByDefaultAsync(cancellationToken);

    public Task<IReadOnlyList<string>> MissingKeysAsync(CancellationToken cancellationToken) => store.MissingKeysAsync(cancellationToken);

    public Task<int> ReleaseAsync(string keyId, DateTimeOffset dueAt, CancellationToken cancellationToken) =>
        store.ReleaseAsync(keyId, dueAt, cancellationToken);

    public Task<DeadLetterCounts> CountAsync(CancellationToken cancellationToken) => store.CountAsync(cancellationToken);

    public Task<IReadOnlyList<DeadLetterBacklog>> BacklogAsync(CancellationToken cancellationToken) =>
        store.BacklogAsync(cancellationToken);

    public Task<IReadOnlyList<DeadLetterGroup>> GroupsAsync(DeadLetterQuery query, int limit, CancellationToken cancellationToken) =>
        store.GroupsAsync(query, limit, cancellationToken);

    public Task<int> CompleteAsync(CancellationToken cancellationToken) => store.CompleteAsync(cancellationToken);

    public Task ProbeAsync(CancellationToken cancellationToken) => store.ProbeAsync(cancellationToken);

    public Task WaitForLettersAsync(TimeSpan atMost, CancellationToken cancellationToken) =>
        store.WaitForLettersAsync(atMost, cancellationToken);

    private async Task PassAsync(Moment moment)
    {
        if (moment != haltsAt)
            return;
        Output.WriteLine($"at {moment}");
        await Task.Delay(Timeout.Infinite);
    }
}
