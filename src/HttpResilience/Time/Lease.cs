namespace HttpResilience;

/// <summary>Renews a lease, one renewal at a time, until it is disposed or lost.</summary>
internal sealed class Lease : IAsyncDisposable
{
    private readonly TimeProvider _time;
    private readonly Func<Task<bool>> _renew;
    private readonly Action<Exception?> _lost;
    private readonly ITimer _timer;
    private Task _renewing = Task.CompletedTask;
    private long _until;
    private int _isBusy;

    /// <param name="until">The end of the lease as it was taken.</param>
    /// <param name="renewEvery">From one renewal to the next.</param>
    /// <param name="renew">
    /// Renews the lease and sets <see cref="Until"/>; false when another owner has taken it over. An exception before <see cref="Until"/>
    /// leaves time for another try.
    /// </param>
    /// <param name="lost">
    /// Called once, when the lease is lost: without an exception after a takeover, with one when the lease has expired.
    /// </param>
    internal Lease(DateTimeOffset until, TimeSpan renewEvery, TimeProvider time, Func<Task<bool>> renew, Action<Exception?> lost)
    {
        (_until, _time, _renew, _lost) = (until.UtcTicks, time, renew, lost);
        // Renewals are not part of the call that took the lease.
        using (AmbientContext.Suppress())
        {
            _timer = time.CreateTimer(
                static lease => ((Lease)lease!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        _timer.Change(renewEvery, renewEvery);
    }

    /// <summary>The end of the lease.</summary>
    internal DateTimeOffset Until
    {
        private get => new(Volatile.Read(ref _until), TimeSpan.Zero);
        set => Volatile.Write(ref _until, value.UtcTicks);
    }

    /// <summary>
    /// Ends the renewals. A renewal in progress is completed first: its outcome must be known before its owner writes again.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        // Completes when no renewal can begin any more.
        await _timer.DisposeAsync().ConfigureAwait(false);
        await _renewing.ConfigureAwait(false);
    }

    private void OnTimer()
    {
        if (Interlocked.Exchange(ref _isBusy, 1) == 0)
            _renewing = RenewAsync();
    }

    // Stays busy when the lease is lost, so that it is not renewed again.
    private async Task RenewAsync()
    {
        Exception? failure = null;
        try
        {
            if (await _renew().ConfigureAwait(false))
            {
                Volatile.Write(ref _isBusy, 0);
                return;
            }
        }
        catch (Exception) when (_time.GetUtcNow() < Until)
        {
            Volatile.Write(ref _isBusy, 0);
            return;
        }
        catch (Exception e)
        {
            failure = e;
        }

        _lost(failure);
    }
}
