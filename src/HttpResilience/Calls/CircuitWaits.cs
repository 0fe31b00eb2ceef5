namespace HttpResilience;

/// <summary>How long a call has waited for circuits, over all its attempts, in timestamp ticks.</summary>
/// <param name="ToClose">For them to close.</param>
/// <param name="ForTurn">For its turn afterwards.</param>
internal sealed record CircuitWaits(long ToClose, long ForTurn);
