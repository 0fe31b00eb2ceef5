namespace HttpResilience.Operations;

/// <summary>
/// The failures of a host, or of one tenant's part of it: how many in a row, and when the last ones were. It has no clock and no lock of
/// its own.
/// </summary>
internal sealed class FailureRow
{
    private readonly Queue<TimeSpan> _failures = new();
    private readonly Queue<TimeSpan> _outages = new();

    /// <summary>How many calls have failed since the last that succeeded.</summary>
    internal int Length { get; private set; }

    /// <summary>When the first of the row failed.</summary>
    internal TimeSpan BeganAt { get; private set; }

    internal TimeSpan LastFailedAt { get; private set; } = TimeSpan.MinValue;

    internal TimeSpan LastSucceededAt { get; private set; } = TimeSpan.MinValue;

    internal TimeSpan LastSeenAt => LastFailedAt > LastSucceededAt ? LastFailedAt : LastSucceededAt;

    /// <summary>The last failure.</summary>
    internal FailedCall Last { get; private set; }

    /// <param name="memory">How many failures are remembered.</param>
    internal void Fail(in FailedCall call, int memory)
    {
        if (Length++ == 0)
            BeganAt = call.At;
        (LastFailedAt, Last) = (call.At, call);
        Remember(_failures, call.At, memory);
        if (call.IsOutage)
            Remember(_outages, call.At, memory);
    }

    internal void Succeed(TimeSpan at) => (Length, LastSucceededAt) = (0, at);

    /// <summary>How many failed after a time, of those that are remembered.</summary>
    internal int FailuresAfter(TimeSpan time) => CountAfter(_failures, time);

    /// <summary>The same of server errors and failed connections.</summary>
    internal int OutagesAfter(TimeSpan time) => CountAfter(_outages, time);

    private static void Remember(Queue<TimeSpan> times, TimeSpan at, int memory)
    {
        times.Enqueue(at);
        while (times.Count > memory)
            times.Dequeue();
    }

    private static int CountAfter(Queue<TimeSpan> times, TimeSpan time)
    {
        int count = 0;
        foreach (var at in times)
            count += at > time ? 1 : 0;
        return count;
    }
}

/// <summary>A call that failed.</summary>
/// <param name="At">When it ended, since the watch began.</param>
internal readonly record struct FailedCall(TimeSpan At, FailureClass FailureClass, int? StatusCode)
{
    internal bool IsOutage => CallOutcome.IsOutage(FailureClass);
}
