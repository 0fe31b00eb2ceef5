namespace HttpResilience.Testing;

/// <summary>The error budgets of an <see cref="InMemoryStorage"/>.</summary>
internal sealed class InMemoryErrorBudgetStore(InMemoryConnection connection)
    : InMemoryStore<IErrorBudgetStore>(connection), IErrorBudgetStore
{
    public Task<bool> AddAsync(ErrorBudgetUpdate update, CancellationToken cancellationToken) => RunAsync(update, () =>
    {
        if (Database.Writers.TryGetValue(update.Writer, out var last) && last.Sequence >= update.Sequence)
            return false;
        Database.Writers[update.Writer] = (update.Sequence, StoredTime.Cut(update.At));
        foreach (var count in update.Counts)
        {
            var key = (Connection.Own(count.ClientName), StoredTime.Cut(count.Period), StoredText.Storable(count.Version)!,
                count.FailureClass);
            Database.Counts[key] = Database.Counts.GetValueOrDefault(key) + count.Calls;
        }

        return true;
    }, cancellationToken);

    public Task<IReadOnlyList<ErrorBudgetCount>> LoadAsync(string clientName, DateTimeOffset since, CancellationToken cancellationToken) =>
        RunAsync<IReadOnlyList<ErrorBudgetCount>>(clientName, () =>
        [
            .. Database.Counts.Where(c => Connection.Has(c.Key.ClientName, clientName) && c.Key.Period >= StoredTime.Cut(since))
                .GroupBy(c => c.Key with { ClientName = clientName }, c => c.Value, (key, calls) => KeyValuePair.Create(key, calls.Sum()))
                .OrderBy(c => c.Key.Period).ThenBy(c => c.Key.Version, StringComparer.Ordinal)
                .ThenBy(c => c.Key.Class.ToString(), StringComparer.Ordinal)
                .Select(c => new ErrorBudgetCount(clientName, c.Key.Version, c.Key.Period, c.Key.Class, c.Value)),
        ], cancellationToken);

    public Task SetPauseAsync(ErrorBudgetPause pause, CancellationToken cancellationToken) => RunAsync(pause, () =>
    {
        Save(Connection, pause);
        return true;
    }, cancellationToken);

    /// <summary>Whether no change of the client is stored that is later than the one that was read.</summary>
    internal static bool IsLast(InMemoryConnection connection, string clientName, ErrorBudgetPause? read) => !connection.Database.Pauses
        .Any(p => connection.Has(p.Key, clientName) && (read is null || p.Value.At > StoredTime.Cut(read.At)));

    internal static void Save(InMemoryConnection connection, ErrorBudgetPause pause)
    {
        var changed = new ErrorBudgetPause(
            connection.Own(pause.ClientName), pause.IsPaused, StoredText.Storable(pause.By), StoredTime.Cut(pause.At))
        {
            Note = StoredText.Storable(pause.Note),
        };
        if (!(connection.Database.Pauses.GetValueOrDefault(changed.ClientName)?.At >= changed.At))
            connection.Database.Pauses[changed.ClientName] = changed;
    }

    public Task<IReadOnlyList<ErrorBudgetPause>> PausesAsync(CancellationToken cancellationToken) =>
        RunAsync<IReadOnlyList<ErrorBudgetPause>>(
            null, () => Connection.Application is { } application ? application.PausesIn(Database.Pauses.Values)
                : [.. Database.Pauses.Values.OrderBy(p => p.ClientName, StringComparer.Ordinal)
                    .Select(p => p with { ClientName = StoredApplication.NameInAny(p.ClientName) })], cancellationToken);

    public Task<IReadOnlyList<DeployedVersion>> StartedAsync(string version, DateTimeOffset at, CancellationToken cancellationToken) =>
        RunAsync<IReadOnlyList<DeployedVersion>>(version, () =>
        {
            var (name, start) = (Connection.Own(version), StoredTime.Cut(at));
            var known = Database.Versions.GetValueOrDefault(name) ?? new(name, start, start);
            Database.Versions[name] = new(
                name, start < known.FirstSeenAt ? start : known.FirstSeenAt, start > known.LastStartedAt ? start : known.LastStartedAt);
            return (Connection.Application ?? new("")).VersionsIn(Database.Versions.Values);
        }, cancellationToken);

    public Task<int> PurgeAsync(DateTimeOffset before, CancellationToken cancellationToken) => RunAsync(before, () =>
    {
        var time = StoredTime.Cut(before);
        foreach (var (writer, _) in Database.Writers.Where(w => w.Value.SavedAt < time).ToList())
            Database.Writers.Remove(writer);
        return Database.Counts.Keys.Where(k => k.Period < time).ToList().Count(Database.Counts.Remove);
    }, cancellationToken);
}
