namespace HttpResilience.Testing;

/// <summary>The jobs of an <see cref="InMemoryStorage"/>.</summary>
internal sealed class InMemoryJobStore(InMemoryConnection connection) : InMemoryStore<ILetterJobStore>(connection), ILetterJobStore
{
    public Task<IReadOnlyList<LetterJob>> ListAsync(LetterJobState? state, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return RunAsync<IReadOnlyList<LetterJob>>(state, () =>
        [
            .. Database.Jobs.Values.Where(j => j.Application == (Connection.Application?.Name ?? "") && (state is null || j.State == state))
                .OrderByDescending(j => j.Id).Take(limit),
        ], cancellationToken);
    }

    public Task<LetterJob?> FindAsync(Guid id, CancellationToken cancellationToken) =>
        RunAsync(id, () => Database.Jobs.GetValueOrDefault(id), cancellationToken);

    public Task<LetterJobProgress> ProgressAsync(Guid id, bool withTotals, CancellationToken cancellationToken) => RunAsync(id, () =>
    {
        DeadLetter[] letters = [.. Database.Letters.Values.Where(l => l.Job?.Id == id)];
        return new LetterJobProgress(
            letters.LongCount(l => l is { Job.EndedAt: null, Status: DeadLetterStatus.Pending or DeadLetterStatus.InProgress }),
            withTotals ? letters.LongCount(l => l.Job!.Accepted is true) : 0,
            withTotals ? letters.LongCount(l => l.Job!.Accepted is false) : 0,
            [
                .. letters.Where(l => l.Job!.Accepted is not null).OrderByDescending(l => l.Job!.EndedAt).Take(20)
                    .Select(l => l.Job!.Accepted!.Value),
            ]);
    }, cancellationToken);

    public Task<int> PurgeAsync(DateTimeOffset before, CancellationToken cancellationToken) => RunAsync(
        before, () => Database.Jobs.Values.Where(j => j.EndedAt < StoredTime.Cut(before)).Select(j => j.Id).ToList()
            .Count(id => Database.Jobs.Remove(id)), cancellationToken);
}
