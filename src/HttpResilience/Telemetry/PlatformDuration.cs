using System.Diagnostics.Metrics;

namespace HttpResilience;

/// <summary>
/// Knows whether anybody listens to the platform's own metric of requests, so that enriching it costs nothing when nobody does. It hears which
/// instruments there are and turns none of them on.
/// </summary>
internal sealed class PlatformDuration : IDisposable
{
    private const string MeterName = "System.Net.Http";
    private const string InstrumentName = "http.client.request.duration";

    private readonly MeterListener _publications = new();
    private readonly Lock _gate = new();
    private Instrument[] _instruments = [];

    /// <param name="factory">Whose instruments count, beside those that were made without a factory.</param>
    internal PlatformDuration(IMeterFactory? factory)
    {
        _publications.InstrumentPublished = (instrument, _) =>
        {
            if (instrument.Name == InstrumentName && instrument.Meter.Name == MeterName && (instrument.Meter.Scope is null || instrument.Meter.Scope == factory))
                Add(instrument);
        };
        _publications.Start();
    }

    /// <summary>Whether it could be that somebody listens when the next request is sent: the platform makes the instrument with the first one.</summary>
    internal bool MayBeHeard => IsHeard || Volatile.Read(ref _instruments).Length == 0;

    internal bool IsHeard
    {
        get
        {
            foreach (var instrument in Volatile.Read(ref _instruments))
            {
                if (instrument.Enabled)
                    return true;
            }

            return false;
        }
    }

    public void Dispose() => _publications.Dispose();

    private void Add(Instrument instrument)
    {
        lock (_gate)
            Volatile.Write(ref _instruments, [.. _instruments, instrument]);
    }
}
