namespace HttpResilience;

/// <summary>Waits that never end early.</summary>
internal static class Delay
{
    private static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    /// <summary>
    /// Waits until <paramref name="due"/>, a timestamp of <paramref name="time"/>. The platform's timers may fire a little early, so the
    /// clock is checked again.
    /// </summary>
    /// <param name="async">False to block the calling thread.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled; the exception carries it.</exception>
    internal static async ValueTask UntilAsync(TimeProvider time, long due, bool async, CancellationToken cancellationToken)
    {
        for (TimeSpan left = time.TimeUntil(due); left > TimeSpan.Zero; left = time.TimeUntil(due))
        {
            TimeSpan step = left < Longest ? TimeSpan.FromMilliseconds(Math.Ceiling(left.TotalMilliseconds)) : Longest;
            Task delay = Task.Delay(step, time, cancellationToken);
            if (async)
                await delay.ConfigureAwait(false);
            else
                Block(delay, step, cancellationToken);
        }
    }

    // The timer needs a thread of the pool, which blocked threads may have used up: the wait of the thread itself ends it too.
    private static void Block(Task delay, TimeSpan step, CancellationToken cancellationToken)
    {
        Task.WaitAny([delay], (int)step.TotalMilliseconds, cancellationToken);
        cancellationToken.ThrowIfCancellationRequested();
    }
}
