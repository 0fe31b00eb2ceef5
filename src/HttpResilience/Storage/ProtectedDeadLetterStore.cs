using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace HttpResilience;

/// <summary>
/// The store of letters as the chain, the replays and the review see it: letters that are to be protected are encrypted before they reach
/// the store, and come back in clear. A letter whose key is missing requires review until the key is back.
/// </summary>
/// <param name="store">The store that holds them.</param>
/// <param name="protector">Null when this process has none.</param>
/// <param name="protects">Whether a client protects its letters.</param>
internal sealed partial class ProtectedDeadLetterStore(
    IDeadLetterStore store, ILetterProtector? protector, Func<string, bool> protects, ILogger<ProtectedDeadLetterStore> logger)
    : IDeadLetterStore
{
    private const string Changed =
        "The row cannot be decrypted: it was changed, or moved from another letter. Restore it and replay it, or resolve it";

    private readonly ConcurrentDictionary<string, bool> _missing = new(StringComparer.Ordinal);

    public async Task<bool> AddAsync(DeadLetter letter, CancellationToken cancellationToken) =>
        await store.AddAsync(await ProtectAsync(letter).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);

    public async Task<bool> CommitAsync(LetterCommit commit, CancellationToken cancellationToken)
    {
        List<DeadLetter> added = [];
        foreach (var letter in commit.Added)
            added.Add(await ProtectAsync(letter).ConfigureAwait(false));
        return await store.CommitAsync(commit with { Added = added }, cancellationToken).ConfigureAwait(false);
    }

    public async Task<DeadLetter?> FindAsync(Guid id, CancellationToken cancellationToken)
    {
        if (await store.FindAsync(id, cancellationToken).ConfigureAwait(false) is not { } stored)
            return null;
        try
        {
            return OpenOrClosed(stored, hasBody: true);
        }
        catch (Exception e) when (IsOfRow(e))
        {
            throw new HttpResilienceStorageException($"Dead letter {id} cannot be decrypted: {e.Message} The row was not changed.", e);
        }
    }

    public async Task<IReadOnlyList<DeadLetter>> ListAsync(DeadLetterQuery query, CancellationToken cancellationToken)
    {
        List<DeadLetter> page = [];
        var rest = query;
        while (true)
        {
            var stored = await store.ListAsync(rest, cancellationToken).ConfigureAwait(false);
            page.AddRange(Readable(stored, hasBody: !query.OmitBodies));
            if (stored.Count < rest.Limit || page.Count == query.Limit)
                return page;
            rest = query with { Limit = query.Limit - page.Count, Before = stored[^1].Id };
        }
    }

    public async Task<IReadOnlyList<DeadLetter>> ClaimAsync(DeadLetterClaim claim, CancellationToken cancellationToken)
    {
        List<DeadLetter> opened = [];
        var rest = claim;
        while (true)
        {
            IReadOnlyList<DeadLetter> claimed;
            try
            {
                claimed = await store.ClaimAsync(rest, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception) when (opened.Count > 0)
            {
                // The letters claimed so far are sent; the others are still due.
                return opened;
            }

            List<Task> setAside = [];
            foreach (var letter in claimed)
            {
                if (TryOpen(letter, out string reason) is { } plain)
                    opened.Add(plain);
                else
                    setAside.Add(SetAsideAsync(letter, reason, claim.Now));
            }

            await Task.WhenAll(setAside).ConfigureAwait(false);
            rest = rest with { Limit = claim.Limit - opened.Count, MaxBytes = claim.MaxBytes - opened.Sum(l => l.Size) };
            // Letters that were set aside leave room for others, which would wait for the next claim.
            if (setAside.Count == 0 || rest.Limit == 0 || rest.MaxBytes <= 0)
                return opened;
        }
    }

    public Task<bool> UpdateAsync(DeadLetter letter, CancellationToken cancellationToken) => store.UpdateAsync(letter, cancellationToken);

    public async Task<DeadLetterSearch> SearchAsync(DeadLetterQuery query, int atMost, CancellationToken cancellationToken)
    {
        var found = await store.SearchAsync(query, atMost, cancellationToken).ConfigureAwait(false);
        return found with { Letters = Readable(found.Letters, hasBody: !query.OmitBodies) };
    }

    public Task<int> PurgeAsync(
        DeadLetterQuery query, DateTimeOffset before, OperatorActivity? activity, CancellationToken cancellationToken) =>
        store.PurgeAsync(query, before, activity, cancellationToken);

    public Task<SettledLetters> CountSettledAsync(
        DeadLetterQuery query, DateTimeOffset before, int atMost, CancellationToken cancellationToken) =>
        store.CountSettledAsync(query, before, atMost, cancellationToken);

    public Task<bool> KeepsByDefaultAsync(CancellationToken cancellationToken) => store.KeepsByDefaultAsync(cancellationToken);

    public Task<IReadOnlyList<string>> MissingKeysAsync(CancellationToken cancellationToken) => store.MissingKeysAsync(cancellationToken);

    public Task<int> ReleaseAsync(string keyId, DateTimeOffset dueAt, CancellationToken cancellationToken)
    {
        _missing.TryRemove(keyId, out _);
        return store.ReleaseAsync(keyId, dueAt, cancellationToken);
    }

    public async Task<IReadOnlyList<DeadLetterGroup>> GroupsAsync(DeadLetterQuery query, int limit, CancellationToken cancellationToken)
    {
        List<DeadLetterGroup> groups = [];
        foreach (var group in await store.GroupsAsync(query, limit, cancellationToken).ConfigureAwait(false))
        {
            try
            {
                groups.Add(group with { Newest = OpenOrClosed(group.Newest, hasBody: false) });
            }
            catch (Exception e) when (IsOfRow(e))
            {
                RowChanged(logger, LogLevel.Warning, e, group.Newest.Id);
                // The group is there, whatever is with one of its letters.
                groups.Add(group);
            }
        }

        return groups;
    }

    public Task<int> CompleteAsync(CancellationToken cancellationToken) => store.CompleteAsync(cancellationToken);

    public Task ProbeAsync(CancellationToken cancellationToken) => store.ProbeAsync(cancellationToken);

    public Task<DeadLetterCounts> CountAsync(CancellationToken cancellationToken) => store.CountAsync(cancellationToken);

    public Task<IReadOnlyList<DeadLetterBacklog>> BacklogAsync(CancellationToken cancellationToken) =>
        store.BacklogAsync(cancellationToken);

    public Task WaitForLettersAsync(TimeSpan atMost, CancellationToken cancellationToken) =>
        store.WaitForLettersAsync(atMost, cancellationToken);

    // A key ring on a slow disk must not hold up the caller, which waits for a limited time.
    private async ValueTask<DeadLetter> ProtectAsync(DeadLetter letter)
    {
        if (letter.ProtectedWith is null && !protects(letter.ClientName))
            return letter;
        if (protector is null)
            throw new HttpResilienceStorageException(
                $"Letters of client '{letter.ClientName}' are to be protected, and this process has no {nameof(ILetterProtector)}: "
                + ProtectedLetter.HowToAdd);
        return await Task.Run(() => ProtectedLetter.Protect(letter, protector)).ConfigureAwait(false);
    }

    private List<DeadLetter> Readable(IReadOnlyList<DeadLetter> stored, bool hasBody)
    {
        List<DeadLetter> readable = [];
        foreach (var letter in stored)
        {
            try
            {
                readable.Add(OpenOrClosed(letter, hasBody));
            }
            catch (Exception e) when (IsOfRow(e))
            {
                RowChanged(logger, LogLevel.Warning, e, letter.Id);
            }
        }

        return readable;
    }

    private DeadLetter OpenOrClosed(DeadLetter stored, bool hasBody)
    {
        try
        {
            return ProtectedLetter.Open(stored, protector, hasBody);
        }
        catch (Exception e) when (IsOfKey(e))
        {
            return ProtectedLetter.Closed(stored);
        }
    }

    /// <summary>The claimed letter in clear; null when it cannot be opened.</summary>
    /// <param name="reason">The suggested action then.</param>
    private DeadLetter? TryOpen(DeadLetter claimed, out string reason)
    {
        reason = Changed;
        try
        {
            return ProtectedLetter.Open(claimed, protector);
        }
        catch (Exception e) when (IsOfKey(e))
        {
            reason = LetterKeyMissingException.ActionOf(claimed.ProtectedWith!);
            if (_missing.TryAdd(claimed.ProtectedWith!, true))
                KeyMissing(logger, e, claimed.ProtectedWith!);
        }
        catch (Exception e) when (IsOfRow(e))
        {
            RowChanged(logger, LogLevel.Error, e, claimed.Id);
        }

        return null;
    }

    // Not cancelled with the claim: a lease that ends without a word counts as one whose letter ended the process.
    private async Task SetAsideAsync(DeadLetter claimed, string action, DateTimeOffset now)
    {
        try
        {
            await store.UpdateAsync(
                claimed with { Status = DeadLetterStatus.RequiresReview, SuggestedAction = action, DueAt = now }, CancellationToken.None)
                .ConfigureAwait(false);
        }
        catch (HttpResilienceStorageException)
        {
            // It is claimed again when its lease ends.
        }
    }

    // An own implementation may throw any exception while its keys cannot be reached: the key is missing for now.
    private static bool IsOfKey(Exception e) => !IsOfRow(e) && e is not OutOfMemoryException;

    private static bool IsOfRow(Exception e) => e is CryptographicException or JsonException or FormatException;

    [LoggerMessage(
        556, LogLevel.Error,
        "Key {KeyId} of protected dead letters is missing in this process. They are kept, require review, and are due again when the key "
        + "is back: restore the key ring, or give this process the ring and the application name of the one that stored them")]
    private static partial void KeyMissing(ILogger logger, Exception exception, string keyId);

    [LoggerMessage(EventId = 558,
        Message = "Dead letter {Id} cannot be decrypted: its row was changed, or moved from another letter. It is not sent")]
    private static partial void RowChanged(ILogger logger, LogLevel level, Exception exception, Guid id);
}
