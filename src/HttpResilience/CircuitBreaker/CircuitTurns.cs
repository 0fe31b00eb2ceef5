namespace HttpResilience;

/// <summary>Holds a call back until its turn at a circuit that is not closed, or whose waiting calls are being released.</summary>
internal sealed class CircuitTurns(Client client, CircuitEvents events)
{
    // Blocked threads of the pool might be the ones that the calls they wait for need.
    private static int _blockedThreads;

    /// <summary>Waits at most as long as the call has left of <c>MaxWait</c>.</summary>
    /// <param name="latest">The timestamp at which the call must be sent.</param>
    /// <returns>The ticket of the circuit; <see cref="CircuitMachine.NoTicket"/> when the call did not wait, or waits no longer.</returns>
    internal async ValueTask<int> WaitAsync(
        CircuitPolicy policy, HostState host, HttpCall call, long latest, bool async, CancellationToken cancellationToken)
    {
        bool blocksThread = !async && Thread.CurrentThread.IsThreadPoolThread;
        if (blocksThread && !MayBlock())
            return CircuitMachine.NoTicket;

        var waits = call.Waits ?? new(0, 0);
        var queue = host.GetOrAddQueue(
            () => new(host.Circuit, call.Host!.Places, client.Time, transition => events.Moved(host, transition)));
        var (toClose, forTurn) = (policy.MaxWait!.Value - waits.ToClose, policy.MaxWait.Value - waits.ForTurn);
        try
        {
            if (queue.Join(policy, latest, toClose, forTurn) is not { } waiter)
                return CircuitMachine.NoTicket;
            if (call.Waits is null)
                host.Circuit.Outage?.AddWaited();
            try
            {
                await WaitingCalls.ForAsync(client, call, latest, token => TurnAsync(queue, waiter, async, token), cancellationToken)
                    .ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                queue.Leave(waiter);
                throw;
            }
            finally
            {
                call.Waits = waits = new(waits.ToClose + toClose - waiter.ToClose, waits.ForTurn + forTurn - waiter.ForTurn);
                call.CircuitWait = client.Time.GetElapsedTime(0, waits.ToClose + waits.ForTurn);
            }

            return await waiter.Turn.ConfigureAwait(false);
        }
        finally
        {
            if (blocksThread)
                Interlocked.Decrement(ref _blockedThreads);
        }
    }

    private static bool MayBlock()
    {
        ThreadPool.GetMinThreads(out int least, out _);
        if (Interlocked.Increment(ref _blockedThreads) <= Math.Max(1, least / 2))
            return true;
        Interlocked.Decrement(ref _blockedThreads);
        return false;
    }

    private static async ValueTask TurnAsync(CircuitQueue queue, CircuitWaiter waiter, bool async, CancellationToken cancellationToken)
    {
        if (async)
        {
            await waiter.Turn.WaitAsync(cancellationToken).ConfigureAwait(false);
            return;
        }

        // The timer of the queue needs a thread of the pool, which blocked threads may have used up: each advances the queue itself.
        while (!waiter.Turn.IsCompleted)
        {
            int milliseconds = (int)Math.Clamp(Math.Ceiling(queue.UntilNext().TotalMilliseconds), 1, 1000);
            if (!waiter.Turn.Wait(milliseconds, cancellationToken))
                queue.Advance();
        }
    }
}
