namespace HttpResilience;

/// <summary>Compares the letters in the store with the processes that replay some.</summary>
internal static class ReplayCoverageRules
{
    /// <summary>A process that was not seen for this time counts as stopped, and a letter due for this time as not replayed.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Whether a process is there: a time far ahead is that of a wrong clock, and says nothing.</summary>
    internal static bool IsLive(DateTimeOffset seenAt, DateTimeOffset now) => (now - seenAt).Duration() <= Patience;

    /// <param name="backlog">The destinations of the letters that wait.</param>
    /// <param name="live">The processes that were seen within <see cref="Patience"/>.</param>
    /// <param name="now">The current time.</param>
    internal static IReadOnlyList<UnreplayedLetters> Find(
        IEnumerable<DeadLetterBacklog> backlog, IReadOnlyList<StorageInstance> live, DateTimeOffset now) =>
    [
        .. backlog.GroupBy(b => b.Application, StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal)
            .SelectMany(letters => Find(letters.Key, [.. letters], [.. live.Where(i => Serves(i, letters.Key))], now)),
    ];

    /// <summary>The overdue letters for hosts to which this process may not send, and which no other process has claimed.</summary>
    /// <param name="backlog">The destinations whose letters this process replays.</param>
    /// <param name="mayNotSend">Whether this process may not send to a destination.</param>
    /// <param name="now">The current time.</param>
    internal static IEnumerable<UnreplayedLetters> LeftToOthers(
        IEnumerable<DeadLetterBacklog> backlog, Func<DeadLetterBacklog, bool> mayNotSend, DateTimeOffset now) =>
        backlog.Where(b => b.DueAt <= now - Patience && mayNotSend(b))
            .Select(b => new UnreplayedLetters(b.Application, b.ClientName, b.DueAt) { Authority = b.Authority });

    private static IEnumerable<UnreplayedLetters> Find(
        string application, DeadLetterBacklog[] letters, StorageInstance[] live, DateTimeOffset now)
    {
        var overdueSince = now - Patience;
        bool isReplayed = live.Any(i => i.Replays);
        if (!isReplayed && letters.Min(b => b.DueAt) is var first && first <= overdueSince)
            yield return new(application, null, first);
        foreach (var client in letters.GroupBy(b => b.ClientName, StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            var dueAt = client.Min(b => b.DueAt);
            bool isUnknown = live.Length > 0 && !live.Any(i => i.Clients.Contains(client.Key));
            bool lacksInWorkers = isReplayed && dueAt <= overdueSince && !live.Any(i => i.Replays && i.Clients.Contains(client.Key));
            if (isUnknown || lacksInWorkers)
                yield return new(application, client.Key, dueAt);
        }
    }

    // Letters of no application are replayed by every process.
    private static bool Serves(StorageInstance instance, string application) =>
        application.Length == 0 || instance.Application == application || instance.ReplaysFor.Contains(application);
}
