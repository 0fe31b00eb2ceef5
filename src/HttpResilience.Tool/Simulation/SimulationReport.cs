namespace HttpResilience.Tool;

/// <summary>What the settings of a client make of each way in which a host fails: the output of <c>simulate --json</c>.</summary>
/// <param name="Client">The client.</param>
/// <param name="Request">The method and the address of its calls.</param>
/// <param name="Instances">Processes with a client of their own.</param>
/// <param name="CallsPerSecond">Of each of them, on average, at random times.</param>
/// <param name="Seed">The same seed gives the same figures.</param>
/// <param name="LeftOut">Settings that the simulation does not have.</param>
/// <param name="Shapes">The results.</param>
internal sealed record SimulationReport(
    string Client, string Request, int Instances, int CallsPerSecond, int Seed, IReadOnlyList<string> LeftOut,
    IReadOnlyList<SimulatedShape> Shapes);

/// <summary>The calls of a client to a host that fails in one way.</summary>
/// <param name="Shape">How it fails.</param>
/// <param name="Seconds">How long.</param>
/// <param name="Calls">Calls that began meanwhile.</param>
/// <param name="Failed">How many of them failed.</param>
/// <param name="FailedAfter">Calls that began afterwards and failed.</param>
/// <param name="P50">Seconds that half of the calls took that began meanwhile.</param>
/// <param name="P95">Seconds that 95 % of them took.</param>
/// <param name="Longest">Seconds of the longest.</param>
/// <param name="Load">Requests to the host meanwhile, as a multiple of those when nothing fails.</param>
/// <param name="WorstSecond">The same in the worst second, also of the time afterwards.</param>
internal sealed record SimulatedShape(
    string Shape, double Seconds, int Calls, int Failed, int FailedAfter, double P50, double P95, double Longest, double Load,
    double WorstSecond);
