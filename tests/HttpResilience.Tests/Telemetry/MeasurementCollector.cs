using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.Telemetry;

/// <summary>Listens to the instruments of one container.</summary>
internal sealed class MeasurementCollector : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly Lock _gate = new();
    private readonly List<Measured> _all = [];

    public MeasurementCollector(IServiceProvider services, string meter = ResilienceMeter.Name)
    {
        var factory = services.GetRequiredService<IMeterFactory>();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name != meter || instrument.Meter.Scope != factory)
                return;
            Instruments.Add(instrument);
            listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.Start();
    }

    public List<Instrument> Instruments { get; } = [];

    public IReadOnlyList<Measured> All
    {
        get
        {
            lock (_gate)
                return [.. _all];
        }
    }

    public IReadOnlyList<Measured> Of(string instrument) => [.. All.Where(m => m.Instrument == $"http.client.resilience.{instrument}")];

    /// <summary>What an observable instrument says now.</summary>
    public IReadOnlyList<Measured> Observe(string instrument)
    {
        int before = Of(instrument).Count;
        _listener.RecordObservableInstruments();
        return [.. Of(instrument).Skip(before)];
    }

    public void Dispose() => _listener.Dispose();

    private void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        lock (_gate)
            _all.Add(new(instrument.Name, value, tags.ToArray()));
    }
}

internal sealed record Measured(string Instrument, double Value, KeyValuePair<string, object?>[] Tags)
{
    public object? this[string tag] => Tags.SingleOrDefault(t => t.Key == tag).Value;

    /// <summary>All tags, as text in their order.</summary>
    public string Text => string.Join(", ", Tags.Select(t => $"{t.Key}={t.Value}"));
}
