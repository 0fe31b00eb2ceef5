namespace HttpResilience;

/// <summary>
/// Ends the waits for letters: at once when this process has added one, and by polling when another process has, of which SQLite shows only
/// that it wrote.
/// </summary>
internal sealed class SqliteArrivals(SqliteWriter writer, TimeProvider time)
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(500);

    private readonly LetterSignal _signal = new();
    private readonly Lock _gate = new();
    private (SqliteSession Session, long Version)? _seen;

    /// <summary>Returns the result of a change, and ends the waits if it has added a letter.</summary>
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
            // The wait has timed out; the caller looks for letters anyway.
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
        // The number changes on a connection when another one has written; on the writer's, that is another process.
        var now = await writer.LookAsync(s => (s, s.Scalar<long>("PRAGMA data_version")), cancellationToken).ConfigureAwait(false);
        lock (_gate)
        {
            // The first look counts as a change, so that letters written just before it are found.
            if (now == _seen)
                return;
            _seen = now;
        }

        // Ends every wait, not only the one that looked.
        _signal.Give();
    }
}
