using System.Collections.Concurrent;
using System.Threading.Channels;

namespace HttpResilience.Operations;

/// <summary>
/// The queue from calls to the evaluator. A call never waits here: a host is queued once at most, and nothing is queued while alerts are
/// off.
/// </summary>
internal sealed class AlertQueue(TimeProvider time)
{
    private readonly Channel<HostFailureTracker?> _list = Channel.CreateUnbounded<HostFailureTracker?>(new() { SingleReader = true });
    private readonly ConcurrentDictionary<string, LostLetters> _lost = new(StringComparer.Ordinal);
    private readonly long _origin = time.GetTimestamp();
    private volatile bool _isOn;
    private int _isTicking;

    /// <summary>Alerts are evaluated.</summary>
    internal bool IsOn
    {
        get => _isOn;
        set => _isOn = value;
    }

    /// <summary>How many failures of a host are remembered.</summary>
    internal int Memory { get; set; } = 5;

    internal ChannelReader<HostFailureTracker?> List => _list.Reader;

    /// <summary>The requests that failed for good and could not be kept, by client.</summary>
    internal IEnumerable<KeyValuePair<string, LostLetters>> Lost => _lost;

    /// <summary>The current time for rules, independent of changes of the wall clock.</summary>
    internal TimeSpan Now => TimeOf(time.GetTimestamp());

    internal TimeSpan TimeOf(long timestamp) => time.GetElapsedTime(_origin, timestamp);

    internal void Enlist(HostFailureTracker signals)
    {
        if (signals.Enlist())
            _list.Writer.TryWrite(signals);
    }

    /// <summary>Queues an evaluation of everything.</summary>
    internal void Tick()
    {
        if (Interlocked.Exchange(ref _isTicking, 1) == 0)
            _list.Writer.TryWrite(null);
    }

    internal void Ticked() => Volatile.Write(ref _isTicking, 0);

    internal void LetterLost(string clientName)
    {
        _lost.AddOrUpdate(clientName, static (_, now) => new(1, now), static (_, before, now) => new(before.Count + 1, now), Now);
        Tick();
    }

    /// <summary>Forgets the lost letters of a client, once their alert is over.</summary>
    internal void Forget(string clientName) => _lost.TryRemove(clientName, out _);
}

/// <summary>Requests of a client that could not be kept.</summary>
internal readonly record struct LostLetters(long Count, TimeSpan LastAt);
