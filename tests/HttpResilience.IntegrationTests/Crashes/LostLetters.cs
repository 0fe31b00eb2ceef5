using System.Diagnostics.Metrics;

namespace HttpResilience.IntegrationTests.Crashes;

/// <summary>Counts the lost letters of one client by the metric.</summary>
internal sealed class LostLetters : IDisposable
{
    private readonly MeterListener _listener = new();
    private long _count;

    internal LostLetters(string client)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == "http.client.resilience.dead_letters.lost")
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((_, count, tags, _) =>
        {
            foreach (var (name, value) in tags)
            {
                if (name == "http.resilience.client" && Equals(value, client))
                    Interlocked.Add(ref _count, count);
            }
        });
        _listener.Start();
    }

    internal long Count => Interlocked.Read(ref _count);

    public void Dispose() => _listener.Dispose();
}
