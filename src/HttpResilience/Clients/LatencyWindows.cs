using System.Collections.Concurrent;

namespace HttpResilience;

/// <summary>The latencies of a host, apart for the calls of each route: an export is slower than a read.</summary>
internal sealed class LatencyWindows
{
    private readonly ConcurrentDictionary<string, LatencyWindow> _ofRoutes = new();
    private LatencyWindow? _ofOthers;

    /// <summary>Those of the calls that have the route of a call; of calls without a route, all such.</summary>
    internal LatencyWindow For(HttpCall call) => call.Route is { } route
        ? _ofRoutes.GetOrAdd(route, static (_, frequency) => new(frequency), call.Time.TimestampFrequency)
        : LazyInitializer.EnsureInitialized(ref _ofOthers, () => new(call.Time.TimestampFrequency));
}
