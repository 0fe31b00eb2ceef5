using Polly.Telemetry;

namespace HttpResilience.Simulation;

/// <summary>The trips of a circuit of Polly.</summary>
internal sealed class PipelineTrips(TripCounter trips) : TelemetryListener
{
    private bool _isClosed = true;

    public override void Write<TResult, TArgs>(in TelemetryEventArguments<TResult, TArgs> args)
    {
        if (args.Event.EventName is "OnCircuitOpened" or "OnCircuitClosed")
            trips.Change(ref _isClosed, args.Event.EventName == "OnCircuitClosed");
    }
}
