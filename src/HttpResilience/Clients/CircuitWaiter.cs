namespace HttpResilience;

/// <summary>A call that waits for its turn at a circuit.</summary>
/// <param name="latest">The timestamp at which it must be sent.</param>
/// <param name="toClose">How long it may wait for the circuit to close, in timestamp ticks.</param>
/// <param name="forTurn">How long it may wait for its turn afterwards, in timestamp ticks.</param>
/// <param name="continuations">How the call continues when its turn is completed.</param>
internal sealed class CircuitWaiter(
    CircuitPolicy policy, long arrivedAt, long latest, long toClose, long forTurn, TaskCreationOptions continuations)
{
    private readonly TaskCompletionSource<int> _turn = new(continuations);
    private long _since = arrivedAt;

    internal CircuitPolicy Policy => policy;

    internal long ArrivedAt { get; } = arrivedAt;

    internal long Latest => latest;

    internal long ToClose { get; private set; } = toClose;

    internal long ForTurn { get; private set; } = forTurn;

    /// <summary>The ticket of the circuit; <see cref="CircuitMachine.NoTicket"/> when it waits no longer without having one.</summary>
    internal Task<int> Turn => _turn.Task;

    /// <summary>The timestamp at which it stops to wait.</summary>
    internal long EndsAt(bool isClosed) => Math.Min(latest, _since + (isClosed ? ForTurn : ToClose));

    /// <summary>Takes the time that it has waited in a state of the circuit from what it has left.</summary>
    internal void Charge(bool wasClosed, long now)
    {
        long waited = Math.Max(0, now - _since);
        (ToClose, ForTurn, _since) = wasClosed ? (ToClose, ForTurn - waited, now) : (ToClose - waited, ForTurn, now);
    }

    internal void Complete(int ticket) => _turn.TrySetResult(ticket);
}
