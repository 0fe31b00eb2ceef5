using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace HttpResilience;

/// <summary>Changes letters in the store at the request of a person.</summary>
/// <param name="replayer">Gives the replayer; null in a process that has no client with the chain.</param>
/// <param name="coverage">Knows which processes replay letters.</param>
/// <param name="meter">Shows the last count; null in such a process.</param>
internal sealed class DeadLetterReview(
    IDeadLetterStore store, Func<DeadLetterReplayer?> replayer, ReplayCoverage coverage, TimeProvider time, DeadLetterMeter? meter)
    : IDeadLetterReview
{
    private const int PageSize = 500;

    internal static void AddTo(IServiceCollection services) => services.TryAddSingleton<IDeadLetterReview>(provider =>
        new DeadLetterReview(
            provider.GetRequiredService<IDeadLetterStore>(), provider.GetService<DeadLetterReplayer>,
            provider.GetRequiredService<ReplayCoverage>(), provider.GetRequiredService<TimeProvider>(),
            provider.GetService<DeadLetterMeter>()));

    public Task<IReadOnlyList<DeadLetter>> ListAsync(DeadLetterQuery query, CancellationToken cancellationToken) =>
        store.ListAsync(query, cancellationToken);

    public Task<DeadLetterSearch> SearchAsync(DeadLetterQuery query, int atMost, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        return store.SearchAsync(query, atMost, cancellationToken);
    }

    public Task<IReadOnlyList<DeadLetterGroup>> GroupsAsync(DeadLetterQuery query, int limit, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        return store.GroupsAsync(query, limit, cancellationToken);
    }

    public async Task<DeadLetterCounts> CountAsync(CancellationToken cancellationToken)
    {
        var counts = await store.CountAsync(cancellationToken).ConfigureAwait(false);
        meter?.Counted(counts);
        return counts;
    }

    public Task<IReadOnlyList<UnreplayedLetters>> UnreplayedAsync(CancellationToken cancellationToken) =>
        coverage.FindAsync(cancellationToken);

    public Task<DeadLetter?> FindAsync(Guid id, CancellationToken cancellationToken) => store.FindAsync(id, cancellationToken);

    public Task<DeadLetter> ResubmitAsync(
        Guid id, Func<DeadLetter, DeadLetter> correct, string by, CancellationToken cancellationToken) =>
        ResubmitAsync(id, expectedVersion: null, correct, by, cancellationToken);

    public Task<DeadLetter> ResubmitAsync(
        Guid id, long expectedVersion, Func<DeadLetter, DeadLetter> correct, string by, CancellationToken cancellationToken) =>
        ResubmitAsync(id, (long?)expectedVersion, correct, by, cancellationToken);

    public Task<DeadLetter> ResubmitAsync(
        Guid id, long expectedVersion, Func<DeadLetter, DeadLetter> correct, string by, TimeSpan delay,
        CancellationToken cancellationToken) =>
        ResubmitAsync(id, (long?)expectedVersion, correct, by, cancellationToken, delay);

    private async Task<DeadLetter> ResubmitAsync(
        Guid id, long? expectedVersion, Func<DeadLetter, DeadLetter> correct, string by, CancellationToken cancellationToken,
        TimeSpan delay = default)
    {
        ArgumentNullException.ThrowIfNull(correct);
        var change = ChangeBy(by, delay);
        while (true)
        {
            var letter = await OpenAsync(id, expectedVersion, cancellationToken).ConfigureAwait(false);
            ThrowIfKeyIsMissing(letter);
            var corrected = CorrectedLetter.Of(letter, correct(letter), change.At);
            var (replaced, replacement) = change.Resubmitted(letter, corrected, change.At + delay);
            if (await CommitAsync(change, LetterChange.Resubmit, [replaced], [replacement], cancellationToken).ConfigureAwait(false))
                return replacement;
        }
    }

    public Task<DeadLetter> ReplayAsync(Guid id, string by, CancellationToken cancellationToken) =>
        ReplayAsync(id, expectedVersion: null, by, cancellationToken);

    public Task<DeadLetter> ReplayAsync(Guid id, long expectedVersion, string by, CancellationToken cancellationToken) =>
        ReplayAsync(id, (long?)expectedVersion, by, cancellationToken);

    public Task<DeadLetter> ReplayAsync(
        Guid id, long expectedVersion, string by, TimeSpan delay, CancellationToken cancellationToken) =>
        ReplayAsync(id, (long?)expectedVersion, by, cancellationToken, delay);

    private Task<DeadLetter> ReplayAsync(
        Guid id, long? expectedVersion, string by, CancellationToken cancellationToken, TimeSpan delay = default)
    {
        var change = ChangeBy(by, delay);
        return ChangeAsync(
            id, expectedVersion, change, LetterChange.Replay, letter => change.Replayed(letter, change.At + delay), cancellationToken);
    }

    public Task<DeadLetter> SendAsync(Guid id, string by, CancellationToken cancellationToken) =>
        SendAsync(id, expectedVersion: null, by, cancellationToken);

    public Task<DeadLetter> SendAsync(Guid id, long expectedVersion, string by, CancellationToken cancellationToken) =>
        SendAsync(id, (long?)expectedVersion, by, cancellationToken);

    private async Task<DeadLetter> SendAsync(Guid id, long? expectedVersion, string by, CancellationToken cancellationToken)
    {
        var change = ChangeBy(by);
        var sender = replayer();
        var claimed = await ChangeAsync(id, expectedVersion, change, LetterChange.Replay, Claimed, cancellationToken).ConfigureAwait(false);
        await sender!.SendAsync(claimed, cancellationToken).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        return await store.FindAsync(id, cancellationToken).ConfigureAwait(false) ?? throw NotFound(id);

        DeadLetter Claimed(DeadLetter letter)
        {
            if (sender?.Knows(letter.ClientName) is not true)
                throw new InvalidOperationException(
                    $"Client '{letter.ClientName}' of dead letter {id} is not registered in this process, or has DeadLetter:Enabled "
                    + "false.");
            ThrowIfKeyIsMissing(letter);
            return change.Replayed(letter, time.GetUtcNow() + DeadLetterReplayer.LeaseLength) with
            {
                Status = DeadLetterStatus.InProgress,
            };
        }
    }

    public async Task<int> ReplayManyAsync(
        DeadLetterQuery query, double perSecond, string by, IProgress<int>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        var change = ChangeBy(by);
        if (perSecond is not (> 0 and <= 10_000))
            throw new ArgumentOutOfRangeException(nameof(perSecond), perSecond, "It must be above 0 and not above 10000.");

        int count = 0;
        // A change leaves the body as it is: the bodies of a page might not fit into memory.
        var page = query with { Limit = PageSize, OmitBodies = true };
        while (await store.ListAsync(page, cancellationToken).ConfigureAwait(false) is { Count: > 0 } letters)
        {
            count += await ReplayPageAsync(query, change, letters, count, perSecond, cancellationToken).ConfigureAwait(false);
            progress?.Report(count);
            page = page with { Before = letters[^1].Id };
        }

        return count;
    }

    // With what is written down, in one transaction; where a letter has changed meanwhile, each by itself.
    private async Task<int> ReplayPageAsync(
        DeadLetterQuery query, LetterChange change, IReadOnlyList<DeadLetter> letters, int before, double perSecond,
        CancellationToken cancellationToken)
    {
        DeadLetter[] due = [.. letters.Where(IsOpen).Select((letter, i) => Due(letter, before + i))];
        if (due.Length == 0)
            return 0;
        var activity = Activity(change, LetterChange.Replay) with { ClientName = query.ClientName, Letters = due.Length };
        if (await store.CommitAsync(new() { Changed = due, Activity = activity }, cancellationToken).ConfigureAwait(false))
            return due.Length;
        int count = 0;
        foreach (var letter in letters.Where(IsOpen))
        {
            // A letter that a worker has claimed meanwhile is skipped.
            if (await CommitAsync(change, LetterChange.Replay, [Due(letter, before + count)], [], cancellationToken).ConfigureAwait(false))
                count++;
        }

        return count;

        DeadLetter Due(DeadLetter letter, int turn) => change.Replayed(letter, change.At + TimeSpan.FromSeconds(turn / perSecond));
    }

    public Task<DeadLetter> ResolveAsync(Guid id, string action, string? notes, string by, CancellationToken cancellationToken) =>
        ResolveAsync(id, expectedVersion: null, action, notes, by, cancellationToken);

    public Task<DeadLetter> ResolveAsync(
        Guid id, long expectedVersion, string action, string? notes, string by, CancellationToken cancellationToken) =>
        ResolveAsync(id, (long?)expectedVersion, action, notes, by, cancellationToken);

    private Task<DeadLetter> ResolveAsync(
        Guid id, long? expectedVersion, string action, string? notes, string by, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(action);
        var change = ChangeBy(by);
        return ChangeAsync(
            id, expectedVersion, change, LetterChange.Resolve, letter => change.Resolved(letter, action, notes), cancellationToken, notes);
    }

    public async Task<DeadLetter> ReopenAsync(Guid id, long? expectedVersion, string by, CancellationToken cancellationToken)
    {
        var change = ChangeBy(by);
        while (true)
        {
            var reopened = change.Reopened(await ExpectedAsync(id, expectedVersion, cancellationToken).ConfigureAwait(false));
            if (await CommitAsync(change, LetterChange.Reopen, [reopened], [], cancellationToken).ConfigureAwait(false))
                return reopened with { Version = reopened.Version + 1 };
        }
    }

    public async Task<DeadLetter> CancelAsync(Guid id, long? expectedVersion, string by, CancellationToken cancellationToken)
    {
        var change = ChangeBy(by);
        while (true)
        {
            var letter = await ExpectedAsync(id, expectedVersion, cancellationToken).ConfigureAwait(false);
            var replaced = letter.Replaces is { } other ? await store.FindAsync(other, cancellationToken).ConfigureAwait(false) : null;
            var restored = change.Cancelled(letter, replaced);
            if (await CommitAsync(change, LetterChange.Cancel, restored, [], cancellationToken).ConfigureAwait(false))
                return restored[^1] with { Version = restored[^1].Version + 1 };
        }
    }

    public Task<int> PurgeAsync(TimeSpan olderThan, CancellationToken cancellationToken) =>
        PurgeAsync(new(), olderThan, cancellationToken);

    public Task<int> PurgeAsync(DeadLetterQuery query, TimeSpan olderThan, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentOutOfRangeException.ThrowIfLessThan(olderThan, TimeSpan.Zero);
        return store.PurgeAsync(query, time.GetUtcNow() - olderThan, cancellationToken);
    }

    public Task<int> PurgeAsync(DeadLetterQuery query, TimeSpan olderThan, string by, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentOutOfRangeException.ThrowIfLessThan(olderThan, TimeSpan.Zero);
        var activity = Activity(ChangeBy(by), LetterChange.Purge) with { ClientName = query.ClientName, Letters = 0 };
        return store.PurgeAsync(query, activity.At - olderThan, activity, cancellationToken);
    }

    public Task<SettledLetters> CountSettledAsync(
        DeadLetterQuery query, TimeSpan olderThan, int atMost, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentOutOfRangeException.ThrowIfLessThan(olderThan, TimeSpan.Zero);
        return store.CountSettledAsync(query, time.GetUtcNow() - olderThan, atMost, cancellationToken);
    }

    public Task<IReadOnlyList<string>> MissingKeysAsync(CancellationToken cancellationToken) => store.MissingKeysAsync(cancellationToken);

    private static bool IsOpen(DeadLetter letter) => letter.Status is DeadLetterStatus.Pending or DeadLetterStatus.RequiresReview;

    private LetterChange ChangeBy(string by, TimeSpan delay = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(by);
        ArgumentOutOfRangeException.ThrowIfLessThan(delay, TimeSpan.Zero);
        return new(by, time.GetUtcNow());
    }

    private async Task<DeadLetter> ChangeAsync(
        Guid id, long? expectedVersion, LetterChange change, string action, Func<DeadLetter, DeadLetter> apply,
        CancellationToken cancellationToken, string? notes = null)
    {
        while (true)
        {
            var changed = apply(await OpenAsync(id, expectedVersion, cancellationToken).ConfigureAwait(false));
            if (await CommitAsync(change, action, [changed], [], cancellationToken, notes).ConfigureAwait(false))
                return changed with { Version = changed.Version + 1 };
        }
    }

    private Task<bool> CommitAsync(
        LetterChange change, string action, IReadOnlyList<DeadLetter> changed, IReadOnlyList<DeadLetter> added,
        CancellationToken cancellationToken, string? notes = null)
    {
        var activity = Activity(change, action) with { LetterId = changed[0].Id, ClientName = changed[0].ClientName, Notes = notes };
        return store.CommitAsync(new() { Changed = changed, Added = added, Activity = activity }, cancellationToken);
    }

    private static OperatorActivity Activity(LetterChange change, string action) => new()
    {
        Id = Guid.CreateVersion7(change.At),
        At = change.At,
        By = change.By,
        Action = action,
    };

    private async Task<DeadLetter> ExpectedAsync(Guid id, long? expectedVersion, CancellationToken cancellationToken)
    {
        var letter = await store.FindAsync(id, cancellationToken).ConfigureAwait(false) ?? throw NotFound(id);
        return expectedVersion is null || letter.Version == expectedVersion ? letter : throw new DeadLetterChangedException(letter);
    }

    private async Task<DeadLetter> OpenAsync(Guid id, long? expectedVersion, CancellationToken cancellationToken)
    {
        var letter = await ExpectedAsync(id, expectedVersion, cancellationToken).ConfigureAwait(false);
        if (IsOpen(letter))
            return letter;
        throw new InvalidOperationException(letter.Status is DeadLetterStatus.InProgress
            ? $"Dead letter {id} is being sent at this moment."
            : $"Dead letter {id} is already settled: {letter.Status}.");
    }

    private static void ThrowIfKeyIsMissing(DeadLetter letter)
    {
        if (letter.KeyIsMissing)
            throw new InvalidOperationException(
                $"Dead letter {letter.Id} cannot be opened in this process: {LetterKeyMissingException.ActionOf(letter.ProtectedWith!)}.");
    }

    private static KeyNotFoundException NotFound(Guid id) => new($"There is no dead letter {id}.");
}
