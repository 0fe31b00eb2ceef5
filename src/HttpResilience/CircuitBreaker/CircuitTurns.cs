namespace HttpResilience;

/// <summary>Holds a call back until its turn at a circuit that is not closed, or whose waiting calls are being released.</summary>
internal sealed class CircuitTurns(Client client, CircuitEvents events)
{
    // Blocked threads of the pool might be the ones that the calls they wait for need.
    private static int _blockedThreads;

    // How late the timer of a queue is when threads of the pool are taken for blocked.
    private static readonly TimeSpan Late = TimeSpan.FromMilliseconds(50);

    /// <summary>Waits at most as long as the call has left of <c>MaxWait</c>.</summary>
    /// <param name="latest">The timestamp at which the call must be sent.</param>
    /// <returns>The ticket of the circuit; <see cref="CircuitMachine.NoTicket"/> when the circuit rejects the call.</returns>
    internal async ValueTask<int> WaitAsync(
        CircuitPolicy policy, HostState host, HttpCall call, long latest, bool async, CancellationToken cancellationToken)
    {
        bool blocksThread = !async && Thread.CurrentThread.IsThreadPoolThread;
        if (blocksThread && !MayBlock())
            return CircuitMachine.NoTicket;

        try
        {
            var waits = call.CircuitWaits ?? (0, 0);
            var (toClose, forTurn) = (policy.MaxWait!.Value - waits.ToClose, policy.MaxWait.Value - waits.ForTurn);
            var queue = host.Queue ?? host.AddQueue(call.Host!.Places, client.Time);
            var turn = queue.Join(policy, latest, toClose, forTurn, call.IsSentLast);
            events.Moved(host, turn.Transition);
            if (turn.Waiter is not { } waiter)
                return turn.Ticket;
            if (call.CircuitWaits is null)
                host.Circuit.Outage?.AddWaited();
            try
            {
                await WaitingCalls.ForAsync(client, call, latest, token => TurnAsync(queue, waiter, async, token), cancellationToken)
                    .ConfigureAwait(false);
            }
            catch
            {
                queue.Leave(waiter);
                throw;
            }
            finally
            {
                call.CircuitWaits = (waits.ToClose + toClose - waiter.ToClose, waits.ForTurn + forTurn - waiter.ForTurn);
                events.Moved(host, waiter.Transition);
            }

            return waiter.Ticket;
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

        // The timer of the queue needs a thread of the pool, which blocked threads may have used up: when it is late, they advance it.
        while (!waiter.Turn.IsCompleted)
        {
            double left = queue.UntilNext().TotalMilliseconds;
            if (left <= -Late.TotalMilliseconds)
                queue.Advance();
            waiter.Turn.Wait(TimeSpan.FromMilliseconds(Math.Clamp(left, 0, 1000)) + Late, cancellationToken);
        }
    }
}
