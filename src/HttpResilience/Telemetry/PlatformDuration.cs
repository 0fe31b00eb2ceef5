using System.Diagnostics.Metrics;

namespace HttpResilience;

/// <summary>
/// Detects whether the platform's request metric has a listener, so that enriching it costs nothing without one. It observes the
/// publication of instruments and enables none of them.
/// </summary>
internal sealed class PlatformDuration : IDisposable
{
    private const string MeterName = "System.Net.Http";
    private const string InstrumentName = "http.client.request.duration";

    private readonly MeterListener _publications = new();
    private readonly Lock _gate = new();
    private Instrument[] _instruments = [];

    /// <param name="factory">The factory of the observed instruments, in addition to instruments without a factory.</param>
    internal PlatformDuration(IMeterFactory? factory)
    {
        _publications.InstrumentPublished = (instrument, _) =>
        {
            if (instrument.Name == InstrumentName && instrument.Meter.Name == MeterName
                && (instrument.Meter.Scope is null || instrument.Meter.Scope == factory))
                Add(instrument);
        };
        _publications.Start();
    }

    /// <summary>Whether the next request may have a listener: the platform creates the instrument with the first request.</summary>
    internal bool MayBeEnabled => IsEnabled || Volatile.Read(ref _instruments).Length == 0;

    internal bool IsEnabled
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
