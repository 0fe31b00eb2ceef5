namespace HttpResilience;

/// <summary>A call that waits for its turn at a circuit. Its queue changes it, under its lock and before the wait ends.</summary>
/// <param name="latest">The timestamp at which it must be sent.</param>
/// <param name="toClose">How long it may wait for the circuit to close, in timestamp ticks.</param>
/// <param name="forTurn">How long it may wait for its turn afterwards, in timestamp ticks.</param>
/// <param name="isLast">It is sent the last time.</param>
/// <param name="continuations">How the call continues when its wait is over.</param>
internal sealed class CircuitWaiter(
    CircuitPolicy policy, long arrivedAt, long latest, long toClose, long forTurn, bool isLast, TaskCreationOptions continuations)
    : TurnWaiter(continuations)
{
    private long _since = arrivedAt;

    internal CircuitPolicy Policy => policy;

    internal long ArrivedAt { get; } = arrivedAt;

    internal long Latest => latest;

    internal bool IsLast => isLast;

    internal long ToClose { get; private set; } = toClose;

    internal long ForTurn { get; private set; } = forTurn;

    /// <summary>The ticket that came with the turn; <see cref="CircuitMachine.NoTicket"/> when the wait has ended without one.</summary>
    internal int Ticket { get; set; }

    /// <summary>The change of state of the circuit that the turn has caused, if any.</summary>
    internal CircuitTransition? Transition { get; set; }

    /// <summary>Its place in the queue; null when it waits no longer.</summary>
    internal LinkedListNode<CircuitWaiter>? Place { get; set; }

    /// <summary>
    /// The timestamp at which it stops to wait. Sent at its deadline, it would fail although the host is well: half of the time until then
    /// is left for its attempt.
    /// </summary>
    internal long EndsAt(bool isClosed) =>
        isClosed ? _since + Math.Min(ForTurn, Math.Max(0, latest - _since) / 2) : Math.Min(latest, _since + ToClose);

    /// <summary>Takes the time that it has waited in a state of the circuit from what it has left.</summary>
    internal void Charge(bool wasClosed, long now)
    {
        long waited = Math.Max(0, now - _since);
        (ToClose, ForTurn, _since) = wasClosed ? (ToClose, ForTurn - waited, now) : (ToClose - waited, ForTurn, now);
    }
}
