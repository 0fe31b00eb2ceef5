namespace HttpResilience;

/// <summary>The answer to a call that asks for its turn.</summary>
/// <param name="Waiter">Null when it does not wait.</param>
/// <param name="Ticket">That of a call that goes at once; <see cref="CircuitMachine.NoTicket"/> when it is rejected, or waits.</param>
/// <param name="Transition">The change of state of the circuit that the ticket has caused, if any.</param>
internal readonly record struct CircuitTurn(CircuitWaiter? Waiter, int Ticket, CircuitTransition? Transition);
