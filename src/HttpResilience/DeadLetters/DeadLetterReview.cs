using Microsoft.Extensions.DependencyInjection;

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
    private const string ReplayAction = "Replay";

    internal static DeadLetterReview Of(IServiceProvider services) => new(
        services.GetRequiredService<IDeadLetterStore>(), services.GetService<DeadLetterReplayer>,
        services.GetRequiredService<ReplayCoverage>(), services.GetRequiredService<TimeProvider>(),
        services.GetService<DeadLetterMeter>());

    public Task<IReadOnlyList<DeadLetter>> ListAsync(DeadLetterQuery query, CancellationToken cancellationToken) =>
        store.ListAsync(query, cancellationToken);

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

    private async Task<DeadLetter> ResubmitAsync(
        Guid id, long? expectedVersion, Func<DeadLetter, DeadLetter> correct, string by, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(correct);
        ArgumentException.ThrowIfNullOrWhiteSpace(by);
        while (true)
        {
            var letter = await OpenAsync(id, expectedVersion, cancellationToken).ConfigureAwait(false);
            ThrowIfKeyIsMissing(letter);
            var replacement = CorrectedLetter.Of(letter, correct(letter), time.GetUtcNow());
            var replaced = letter with
            {
                Status = DeadLetterStatus.Resubmitted,
                ReplacedBy = replacement.Id,
                Resolution = new("Resubmit", null, by, time.GetUtcNow()),
                SuggestedAction = null,
            };
            if (await store.ReplaceAsync(replaced, replacement, cancellationToken).ConfigureAwait(false))
                return replacement;
        }
    }

    public Task<DeadLetter> ReplayAsync(Guid id, string by, CancellationToken cancellationToken) =>
        ReplayAsync(id, expectedVersion: null, by, cancellationToken);

    public Task<DeadLetter> ReplayAsync(Guid id, long expectedVersion, string by, CancellationToken cancellationToken) =>
        ReplayAsync(id, (long?)expectedVersion, by, cancellationToken);

    private Task<DeadLetter> ReplayAsync(Guid id, long? expectedVersion, string by, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(by);
        return ChangeAsync(id, expectedVersion, letter => MadeDue(letter, by, time.GetUtcNow()), cancellationToken);
    }

    public Task<DeadLetter> SendAsync(Guid id, string by, CancellationToken cancellationToken) =>
        SendAsync(id, expectedVersion: null, by, cancellationToken);

    public Task<DeadLetter> SendAsync(Guid id, long expectedVersion, string by, CancellationToken cancellationToken) =>
        SendAsync(id, (long?)expectedVersion, by, cancellationToken);

    private async Task<DeadLetter> SendAsync(Guid id, long? expectedVersion, string by, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(by);
        var sender = replayer();
        var claimed = await ChangeAsync(id, expectedVersion, Claimed, cancellationToken).ConfigureAwait(false);
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
            return MadeDue(letter, by, time.GetUtcNow() + DeadLetterReplayer.LeaseLength) with { Status = DeadLetterStatus.InProgress };
        }
    }

    public async Task<int> ReplayManyAsync(
        DeadLetterQuery query, double perSecond, string by, IProgress<int>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentException.ThrowIfNullOrWhiteSpace(by);
        if (perSecond is not (> 0 and <= 10_000))
            throw new ArgumentOutOfRangeException(nameof(perSecond), perSecond, "It must be above 0 and not above 10000.");

        var begin = time.GetUtcNow();
        int count = 0;
        // A change leaves the body as it is: the bodies of a page might not fit into memory.
        var page = query with { Limit = PageSize, OmitBodies = true };
        while (await store.ListAsync(page, cancellationToken).ConfigureAwait(false) is { Count: > 0 } letters)
        {
            foreach (var letter in letters.Where(IsOpen))
            {
                // A letter that a worker has claimed meanwhile is skipped.
                var due = begin + TimeSpan.FromSeconds(count / perSecond);
                if (await store.UpdateAsync(MadeDue(letter, by, due), cancellationToken).ConfigureAwait(false))
                    count++;
            }

            progress?.Report(count);
            page = page with { Before = letters[^1].Id };
        }

        return count;
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
        ArgumentException.ThrowIfNullOrWhiteSpace(by);
        return ChangeAsync(
            id,
            expectedVersion,
            letter => letter with
            {
                Status = DeadLetterStatus.Resolved,
                Resolution = new(action, notes, by, time.GetUtcNow()),
                SuggestedAction = null,
            },
            cancellationToken);
    }

    public Task<int> PurgeAsync(TimeSpan olderThan, CancellationToken cancellationToken) =>
        PurgeAsync(new(), olderThan, cancellationToken);

    public Task<int> PurgeAsync(DeadLetterQuery query, TimeSpan olderThan, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentOutOfRangeException.ThrowIfLessThan(olderThan, TimeSpan.Zero);
        return store.PurgeAsync(query, time.GetUtcNow() - olderThan, cancellationToken);
    }

    public Task<IReadOnlyList<string>> MissingKeysAsync(CancellationToken cancellationToken) => store.MissingKeysAsync(cancellationToken);

    private static bool IsOpen(DeadLetter letter) => letter.Status is DeadLetterStatus.Pending or DeadLetterStatus.RequiresReview;

    private DeadLetter MadeDue(DeadLetter letter, string by, DateTimeOffset due) => letter with
    {
        Status = DeadLetterStatus.Pending,
        DueAt = due,
        Resolution = new(ReplayAction, null, by, time.GetUtcNow()),
        SuggestedAction = null,
        Takeovers = 0,
    };

    private async Task<DeadLetter> ChangeAsync(
        Guid id, long? expectedVersion, Func<DeadLetter, DeadLetter> change, CancellationToken cancellationToken)
    {
        while (true)
        {
            var changed = change(await OpenAsync(id, expectedVersion, cancellationToken).ConfigureAwait(false));
            if (await store.UpdateAsync(changed, cancellationToken).ConfigureAwait(false))
                return changed with { Version = changed.Version + 1 };
        }
    }

    private async Task<DeadLetter> OpenAsync(Guid id, long? expectedVersion, CancellationToken cancellationToken)
    {
        var letter = await store.FindAsync(id, cancellationToken).ConfigureAwait(false) ?? throw NotFound(id);
        if (expectedVersion is { } expected && letter.Version != expected)
            throw new DeadLetterChangedException(letter);
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
