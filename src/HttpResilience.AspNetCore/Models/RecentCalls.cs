namespace HttpResilience.AspNetCore;

/// <summary>The calls of each client of this instance in the last hour, by minute.</summary>
internal sealed class RecentCalls : CallObserver
{
    /// <summary>Those of a client; null before its first call.</summary>
    internal static CallMinutes? Of(ObservedClient client) => client.Get<CallMinutes>();

    protected override void CallEnded(in EndedCall ended)
    {
        var client = ended.Client;
        var minutes = client.Get<CallMinutes>() ?? client.GetOrAdd(() => new CallMinutes(client.Time));
        minutes.Add(ended.Outcome.Api is OutcomeKind.Failure, Math.Max(0, ended.Outcome.AttemptCount - 1));
    }
}

/// <summary>Counts of the last hour by minute, in a ring.</summary>
/// <param name="time">The clock.</param>
internal sealed class CallMinutes(TimeProvider time)
{
    internal const int Minutes = 60;

    private readonly Lock _gate = new();
    private readonly (long Minute, int Calls, int Failed, int Retries)[] _ring = new (long, int, int, int)[Minutes];

    internal void Add(bool isFailure, int retries)
    {
        lock (_gate)
        {
            ref var now = ref Current();
            now.Calls++;
            now.Failed += isFailure ? 1 : 0;
            now.Retries += retries;
        }
    }

    /// <summary>The last hour, the oldest minute first, the present one last.</summary>
    internal (BarPlot Calls, long Retries) LastHour()
    {
        long[] calls = new long[Minutes], failed = new long[Minutes];
        long retries = 0;
        lock (_gate)
        {
            long last = Minute();
            foreach (var (minute, count, ofThem, again) in _ring)
            {
                if (last - minute is not (>= 0 and < Minutes and var age))
                    continue;
                (calls[Minutes - 1 - age], failed[Minutes - 1 - age]) = (count, ofThem);
                retries += again;
            }
        }

        return (new(calls, failed), retries);
    }

    private ref (long Minute, int Calls, int Failed, int Retries) Current()
    {
        long minute = Minute();
        ref var slot = ref _ring[minute % Minutes];
        if (slot.Minute != minute)
            slot = (minute, 0, 0, 0);
        return ref slot;
    }

    // By the clock, so that the minutes of the plot are those of the wall.
    private long Minute() => time.GetUtcNow().UtcTicks / TimeSpan.TicksPerMinute;
}
