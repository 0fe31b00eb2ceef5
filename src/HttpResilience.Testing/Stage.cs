namespace HttpResilience.Testing;

/// <summary>Where a handler plays an outcome: the script's clock, and whether the caller is to be blocked.</summary>
internal readonly record struct Stage(TimeProvider Time, bool Async)
{
    internal async ValueTask WaitAsync(TimeSpan duration, CancellationToken cancellationToken)
    {
        Task delay = Task.Delay(duration, Time, cancellationToken);
        if (Async)
            await delay.ConfigureAwait(false);
        else
            delay.GetAwaiter().GetResult();
    }

    /// <summary>
    /// Waits until the token is cancelled. On a clock that skips waits this one is skipped, too: time passes until somebody gives up.
    /// </summary>
    /// <returns>What is to be thrown.</returns>
    internal async ValueTask<Exception> UntilGivenUpAsync(CancellationToken cancellationToken)
    {
        while (Time is ManualTimeProvider { SkipsWaits: true } clock
            && !cancellationToken.IsCancellationRequested && clock.TryAdvanceToNextTimer())
        {
            if (Async)
                await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            else
                Thread.Yield();
        }

        if (Async)
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        else
            cancellationToken.WaitHandle.WaitOne();
        return new TaskCanceledException(null, null, cancellationToken);
    }
}
