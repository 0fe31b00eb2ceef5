namespace HttpResilience;

/// <summary>
/// Finds the dead letters that no live process will replay. A process that replays letters looks at those of every application on its
/// store, another one at its own.
/// </summary>
internal sealed class ReplayCoverage(
    IDeadLetterStore letters, IInstanceStore instances, string application, bool replays, TimeProvider time)
{
    internal async Task<IReadOnlyList<UnreplayedLetters>> FindAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var backlog = await letters.BacklogAsync(cancellationToken).ConfigureAwait(false);
        if (backlog.Count == 0)
            return [];
        var live = await instances.ListAsync(now - ReplayCoverageRules.Patience, cancellationToken).ConfigureAwait(false);
        return ReplayCoverageRules.Find(
            replays ? backlog : backlog.Where(b => b.Application.Length == 0 || b.Application == application), live, now);
    }
}
