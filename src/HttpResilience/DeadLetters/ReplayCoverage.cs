namespace HttpResilience;

/// <summary>
/// Finds the dead letters that no live process will replay. A process that replays letters looks at those of every application on its
/// store, another one at its own.
/// </summary>
/// <param name="replays">The applications whose letters this process replays besides its own; null when it replays none.</param>
/// <param name="maySend">Whether this process may send the letters of a destination.</param>
internal sealed class ReplayCoverage(
    IDeadLetterStore letters, IInstanceStore instances, string application, IReadOnlyCollection<string>? replays,
    Func<DeadLetterBacklog, bool> maySend, TimeProvider time)
{
    internal async Task<IReadOnlyList<UnreplayedLetters>> FindAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var backlog = await letters.BacklogAsync(cancellationToken).ConfigureAwait(false);
        if (backlog.Count == 0)
            return [];
        var live = await instances.ListAsync(now - ReplayCoverageRules.Patience, cancellationToken).ConfigureAwait(false);
        var own = backlog.Where(b => b.Application.Length == 0 || b.Application == application || replays?.Contains(b.Application) is true);
        return replays is null ? ReplayCoverageRules.Find(own, live, now)
            :
            [
                .. ReplayCoverageRules.Find(backlog, live, now),
                .. ReplayCoverageRules.LeftToOthers(own, b => !maySend(b), now),
            ];
    }
}
