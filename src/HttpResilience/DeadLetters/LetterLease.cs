namespace HttpResilience;

/// <summary>Keeps a claimed letter claimed while it is being sent. Most are answered long before: they cost a timer that never fires.</summary>
internal sealed class LetterLease : IAsyncDisposable
{
    private readonly IDeadLetterStore _store;
    private readonly TimeSpan _length;
    private readonly TimeSpan _renewEvery;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _lost;
    private readonly ITimer _timer;
    private DeadLetter _letter;
    private Task _renewing = Task.CompletedTask;

    /// <param name="lost">Cancelled when somebody else has taken the letter over, or nothing has been heard of the store until the lease ended.</param>
    internal LetterLease(IDeadLetterStore store, DeadLetter claimed, TimeSpan length, TimeSpan renewEvery, TimeProvider time, CancellationTokenSource lost)
    {
        (_store, _letter, _length, _renewEvery, _time, _lost) = (store, claimed, length, renewEvery, time, lost);
        _timer = time.CreateTimer(static lease => ((LetterLease)lease!).Renew(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(renewEvery, Timeout.InfiniteTimeSpan);
    }

    /// <returns>The version of the letter by now.</returns>
    internal async ValueTask<long> EndAsync()
    {
        // Completes when no renewal can begin any more; one that has begun is not given up half-way, as the version has to be known.
        await _timer.DisposeAsync().ConfigureAwait(false);
        await _renewing.ConfigureAwait(false);
        return _letter.Version;
    }

    public async ValueTask DisposeAsync() => await EndAsync().ConfigureAwait(false);

    private void Renew() => _renewing = RenewAsync();

    private async Task RenewAsync()
    {
        try
        {
            var renewed = _letter with { DueAt = _time.GetUtcNow() + _length };
            if (!await _store.UpdateAsync(renewed, CancellationToken.None).ConfigureAwait(false))
            {
                await _lost.CancelAsync().ConfigureAwait(false);
                return;
            }

            _letter = renewed with { Version = renewed.Version + 1 };
        }
        catch (Exception) when (_letter.DueAt > _time.GetUtcNow())
        {
            // There is time for another try.
        }
        catch (Exception)
        {
            await _lost.CancelAsync().ConfigureAwait(false);
            return;
        }

        _timer.Change(_renewEvery, Timeout.InfiniteTimeSpan);
    }
}
