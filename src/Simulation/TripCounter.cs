namespace HttpResilience.Simulation;

/// <summary>Counts how often closed circuits opened; a break that follows a failed probe is no trip.</summary>
internal sealed class TripCounter
{
    internal int Trips { get; private set; }

    /// <summary>A circuit changed its state.</summary>
    internal void Change(ref bool isClosed, bool closes)
    {
        if (isClosed && !closes)
            Trips++;
        isClosed = closes;
    }
}

/// <summary>The trips of a circuit of the chain.</summary>
internal sealed class ChainTrips(TripCounter trips) : CallObserver
{
    private bool _isClosed = true;

    protected internal override void CircuitChanged(ObservedClient client, ObservedHost host, CircuitState state) =>
        trips.Change(ref _isClosed, state is CircuitState.Closed);
}
