namespace HttpResilience.Simulation;

/// <summary>A call that has ended.</summary>
internal readonly record struct SimulatedCall(TimeSpan BeganAt, double Seconds, bool Succeeded);
