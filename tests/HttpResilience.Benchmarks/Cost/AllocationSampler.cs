using System.Collections.Concurrent;
using System.Diagnostics.Tracing;
using System.Globalization;

namespace HttpResilience.Benchmarks;

/// <summary>Counts what a thread allocates by type, in random samples of the runtime: one in about 100 KB.</summary>
internal sealed class AllocationSampler : EventListener
{
    private const EventKeywords AllocationSampling = (EventKeywords)0x80000000000;

    private readonly ConcurrentDictionary<string, Allocated> _types = new();

    // The base constructor reports event sources before the fields of this class are set.
    private EventSource? _runtime;

    /// <summary>The thread that counts; 0 for none.</summary>
    internal long Thread { get; set; }

    internal IReadOnlyDictionary<string, Allocated> Types => _types;

    internal void Begin() => EnableEvents(_runtime!, EventLevel.Informational, AllocationSampling);

    internal void End() => DisableEvents(_runtime!);

    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name == "Microsoft-Windows-DotNETRuntime")
            _runtime = eventSource;
    }

    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        if (eventData.OSThreadId != Thread || eventData.EventName is not "AllocationSampled")
            return;
        var (names, values) = (eventData.PayloadNames!, eventData.Payload!);

        string type = (string)values[names.IndexOf("TypeName")]!;
        long size = Convert.ToInt64(values[names.IndexOf("ObjectSize")], CultureInfo.InvariantCulture);
        _types.AddOrUpdate(type, _ => new(1, size), (_, before) => new(before.Samples + 1, before.Bytes + size));
    }

    /// <param name="Samples">How often it was found: in proportion to the bytes of all its objects.</param>
    /// <param name="Bytes">The sizes of the objects that were found.</param>
    internal sealed record Allocated(int Samples, long Bytes);
}
