namespace HttpResilience;

/// <summary>Wakes who waits for letters: at once for those of this process, and soon for those of others, of whom SQLite tells only whether they have written.</summary>
internal sealed class SqliteArrivals(SqliteWriter writer, TimeProvider time)
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(500);

    private readonly LetterSignal _signal = new();
    private readonly Lock _gate = new();
    private (SqliteSession Session, long Version)? _seen;

    /// <summary>Passes on the result of a change, and wakes who waits if it has brought a letter.</summary>
    internal bool Told(bool result, bool brought)
    {
        if (brought)
            _signal.Give();
        return result;
    }

    internal async Task WaitAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        long seen = _signal.Taken;
        using var over = new CancellationTokenSource(atMost, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(over.Token, cancellationToken);
        try
        {
            do
                await LookForOthersAsync(either.Token).ConfigureAwait(false);
            while (!await IsGivenAsync(seen, either.Token).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            // The time is over.
        }

        _signal.Take();
    }

    private async Task<bool> IsGivenAsync(long seen, CancellationToken cancellationToken)
    {
        try
        {
            await _signal.GivenAfter(seen).WaitAsync(Period, time, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private async Task LookForOthersAsync(CancellationToken cancellationToken)
    {
        // The number changes on a connection when another one has written: on that of the writer, somebody else.
        var now = await writer.LookAsync(s => (s, s.Scalar<long>("PRAGMA data_version")), cancellationToken).ConfigureAwait(false);
        lock (_gate)
        {
            // The first look finds a change too: what was written just before it would otherwise be told to nobody.
            if (now == _seen)
                return;
            _seen = now;
        }

        // All who wait, not only the one who has looked.
        _signal.Give();
    }
}
