namespace HttpResilience.Testing;

/// <summary>The conditions under which a handler plays an outcome: the script's clock, and whether the caller is asynchronous.</summary>
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
    /// Waits until the token is cancelled. A clock that skips waits advances until a timeout of the caller cancels it.
    /// </summary>
    /// <returns>The exception to throw.</returns>
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
