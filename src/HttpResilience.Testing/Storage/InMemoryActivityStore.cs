namespace HttpResilience.Testing;

/// <summary>What people did, in an <see cref="InMemoryStorage"/>.</summary>
internal sealed class InMemoryActivityStore(InMemoryConnection connection)
    : InMemoryStore<IOperatorActivityStore>(connection), IOperatorActivityStore
{
    public Task<IReadOnlyList<OperatorActivity>> ListAsync(Guid? before, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return RunAsync<IReadOnlyList<OperatorActivity>>(before, () =>
        [
            .. Database.Activity.Values.Where(a => a.Application == (Connection.Application?.Name ?? "")).Select(a => a.Entry)
                .Where(a => before is not { } id || a.Id < id).OrderByDescending(a => a.Id).Take(limit),
        ], cancellationToken);
    }

    public Task<int> PurgeAsync(DateTimeOffset before, CancellationToken cancellationToken) => RunAsync(
        before, () => Database.Activity.Values.Where(a => a.Entry.At < StoredTime.Cut(before)).Select(a => a.Entry.Id).ToList()
            .Count(id => Database.Activity.Remove(id)), cancellationToken);
}
