using System.Diagnostics;

namespace HttpResilience.Tests.Telemetry;

/// <summary>Keeps the spans of the calls of one test: a listener hears those of the whole process.</summary>
internal sealed class SpanCollector : IDisposable
{
    private readonly ActivityListener _listener;
    private readonly AsyncLocal<bool> _isOfTest = new() { Value = true };
    private readonly Lock _gate = new();
    private readonly List<Activity> _ended = [];
    private int _asked;

    public SpanCollector(ActivitySamplingResult sampling = ActivitySamplingResult.AllDataAndRecorded)
    {
        _listener = new()
        {
            ShouldListenTo = source => source.Name == CallSpan.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) =>
            {
                if (!_isOfTest.Value)
                    return ActivitySamplingResult.None;
                Interlocked.Increment(ref _asked);
                return sampling;
            },
            ActivityStopped = activity =>
            {
                if (!_isOfTest.Value)
                    return;
                lock (_gate)
                    _ended.Add(activity);
            },
        };
        ActivitySource.AddActivityListener(_listener);
    }

    /// <summary>How often a span could have begun.</summary>
    public int Asked => _asked;

    public IReadOnlyList<Activity> Ended
    {
        get
        {
            lock (_gate)
                return [.. _ended];
        }
    }

    public void Dispose() => _listener.Dispose();
}
