namespace HttpResilience;

/// <summary>
/// Keeps a claimed letter claimed while it is being sent, and knows its version. Most letters are answered before the first renewal.
/// </summary>
internal sealed class LetterLease : IAsyncDisposable
{
    private readonly IDeadLetterStore _store;
    private readonly TimeSpan _length;
    private readonly TimeProvider _time;
    private readonly Lease _lease;
    private DeadLetter _letter;

    /// <param name="lost">
    /// Cancelled when another worker has taken the letter over, or the lease has ended without an answer of the store.
    /// </param>
    internal LetterLease(
        IDeadLetterStore store, DeadLetter claimed, TimeSpan length, TimeSpan renewEvery, TimeProvider time, CancellationTokenSource lost)
    {
        (_store, _letter, _length, _time) = (store, claimed, length, time);
        _lease = new(claimed.DueAt, renewEvery, time, RenewAsync, _ => lost.Cancel());
    }

    /// <returns>The version of the letter after the last renewal.</returns>
    internal async ValueTask<long> EndAsync()
    {
        await _lease.DisposeAsync().ConfigureAwait(false);
        return _letter.Version;
    }

    public ValueTask DisposeAsync() => _lease.DisposeAsync();

    private async Task<bool> RenewAsync()
    {
        var renewed = _letter with { DueAt = _time.GetUtcNow() + _length };
        if (!await _store.UpdateAsync(renewed, CancellationToken.None).ConfigureAwait(false))
            return false;
        _letter = renewed with { Version = renewed.Version + 1 };
        _lease.Until = renewed.DueAt;
        return true;
    }
}
