namespace HttpResilience;

/// <summary>Keeps a claimed letter claimed while it is being sent.</summary>
internal sealed class LetterLease : IAsyncDisposable
{
    private readonly IDeadLetterStore _store;
    private readonly TimeSpan _length;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _lost;
    private readonly CancellationTokenSource _ended = new();
    private readonly Task _renewing;
    private DeadLetter _letter;

    /// <param name="lost">Cancelled when somebody else has taken the letter over, or nothing has been heard of the store until the lease ended.</param>
    internal LetterLease(IDeadLetterStore store, DeadLetter claimed, TimeSpan length, TimeSpan renewEvery, TimeProvider time, CancellationTokenSource lost)
    {
        (_store, _letter, _length, _time, _lost) = (store, claimed, length, time, lost);
        _renewing = RenewAsync(renewEvery);
    }

    /// <returns>The version of the letter by now.</returns>
    internal async Task<long> EndAsync()
    {
        await _ended.CancelAsync().ConfigureAwait(false);
        await _renewing.ConfigureAwait(false);
        return _letter.Version;
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync().ConfigureAwait(false);
        _ended.Dispose();
    }

    private async Task RenewAsync(TimeSpan every)
    {
        using var timer = new PeriodicTimer(every, _time);
        while (!_ended.IsCancellationRequested)
        {
            try
            {
                await timer.WaitForNextTickAsync(_ended.Token).ConfigureAwait(false);
                var renewed = _letter with { DueAt = _time.GetUtcNow() + _length };
                // Not given up half-way when the sending ends: its version has to be known.
                if (!await _store.UpdateAsync(renewed, CancellationToken.None).ConfigureAwait(false))
                {
                    await _lost.CancelAsync().ConfigureAwait(false);
                    return;
                }

                _letter = renewed with { Version = renewed.Version + 1 };
            }
            catch (OperationCanceledException) when (_ended.IsCancellationRequested)
            {
                return;
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
        }
    }
}
