namespace HttpResilience.Testing;

/// <summary>The hosts that are held back, in an <see cref="InMemoryStorage"/>.</summary>
internal sealed class InMemoryCircuitHoldStore(InMemoryConnection connection)
    : InMemoryStore<ICircuitHoldStore>(connection), ICircuitHoldStore
{
    public Task<IReadOnlyList<CircuitHold>> ListAsync(CancellationToken cancellationToken) =>
        RunAsync<IReadOnlyList<CircuitHold>>(null, () =>
        [
            .. Database.Holds.Where(h => h.Key.Application == (Connection.Application?.Name ?? "")).Select(h => h.Value)
                .OrderBy(h => h.ClientName, StringComparer.Ordinal).ThenBy(h => h.Authority, StringComparer.Ordinal)
                .ThenBy(h => h.Tenant, StringComparer.Ordinal),
        ], cancellationToken);

    public Task<int> PurgeAsync(DateTimeOffset before, CancellationToken cancellationToken) => RunAsync(
        before, () => Database.Holds.Where(h => !h.Value.IsHeld && h.Value.At < StoredTime.Cut(before)).Select(h => h.Key).ToList()
            .Count(Database.Holds.Remove), cancellationToken);
}
