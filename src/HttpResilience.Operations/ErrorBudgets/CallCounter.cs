namespace HttpResilience.Operations;

/// <summary>
/// Counts how the calls of a client end, in constant memory: totals since the process began, the counts of a window, and those that are not
/// stored yet. Within a minute, an ended call increments a counter without a lock.
/// </summary>
internal sealed class CallCounter
{
    internal static readonly FailureClass[] Classes = Enum.GetValues<FailureClass>();

    // Masks: all bits are set for the classes that count against the budget, none for the others.
    private static readonly long[] CountsAgainst = [.. Classes.Select(c => CallOutcome.IsFailure(c) ? -1L : 0)];

    // Keeps other objects off the cache lines of the counters.
    private const int Padding = 8;

    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly RollingCounts _history = new();
    private readonly PendingCounts? _unsaved;
    private readonly long[] _totals = new long[Padding + Classes.Length + Padding];
    private readonly long _minuteLength;
    private long _minuteStart = long.MinValue;
    private TimeSpan _window;
    // The counts of the window when the minute began, and the totals at that time.
    private volatile Settled _settled = new(default, default);

    /// <param name="isKept">The counts are also collected for a store.</param>
    internal CallCounter(TimeProvider time, TimeSpan window, bool isKept)
    {
        (_time, _unsaved, _minuteLength) = (time, isKept ? new() : null, 60 * time.TimestampFrequency);
        Use(window);
    }

    /// <summary>Calls and failures since the process began.</summary>
    internal BudgetCount Totals
    {
        get
        {
            (long calls, long failures) = (0, 0);
            for (int c = 0; c < CountsAgainst.Length; c++)
            {
                long ended = Volatile.Read(ref _totals[Padding + c]);
                calls += ended;
                failures += ended & CountsAgainst[c];
            }

            return new(calls, failures);
        }
    }

    /// <summary>Calls and failures of the window: those at the start of the minute, and those that ended since.</summary>
    internal BudgetCount InWindow
    {
        get
        {
            var settled = _settled;
            return settled.Window + Totals - settled.Totals;
        }
    }

    /// <summary>The number of calls of each class since the process began.</summary>
    internal IReadOnlyDictionary<FailureClass, long> ByClass =>
        Classes.ToDictionary(c => c, c => Volatile.Read(ref _totals[Padding + (int)c]));

    /// <returns>Whether the call begins a new minute.</returns>
    internal bool Add(FailureClass failureClass, long endedAt)
    {
        // A call that ended in the minute before but is added late counts for this minute.
        bool begins = endedAt - Volatile.Read(ref _minuteStart) >= _minuteLength;
        if (begins)
            BeginMinute(endedAt);
        Interlocked.Increment(ref _totals[Padding + (int)failureClass]);
        return begins;
    }

    /// <summary>Changes the window.</summary>
    internal void Use(TimeSpan window)
    {
        lock (_gate)
        {
            _window = window;
            Settle(_time.GetTimestamp());
        }
    }

    /// <summary>Calls and failures of a window that ends now.</summary>
    internal BudgetCount Read(TimeSpan window, long now)
    {
        lock (_gate)
        {
            Settle(now);
            return _history.Sum(window);
        }
    }

    /// <summary>Adds earlier counts, of any process.</summary>
    internal void Load(IReadOnlyList<ErrorBudgetCount> counts)
    {
        lock (_gate)
        {
            Settle(_time.GetTimestamp());
            foreach (var count in counts)
            {
                // Placed at the end of its 5 minutes, so that it is not dropped too early.
                _history.Add(count.Period.ToUnixTimeSeconds() + PendingCounts.PeriodLength - 1, BudgetCount.Of(count));
            }

            Settle(_time.GetTimestamp());
        }
    }

    /// <summary>The counts since the last time; empty when there are none, or there is no store.</summary>
    internal IReadOnlyList<ErrorBudgetCount> TakeUnsaved(string clientName, string version)
    {
        lock (_gate)
        {
            Settle(_time.GetTimestamp());
            return _unsaved?.Take(clientName, version) ?? [];
        }
    }

    private void BeginMinute(long endedAt)
    {
        lock (_gate)
        {
            if (endedAt - _minuteStart >= _minuteLength)
                Settle(endedAt);
        }
    }

    /// <summary>
    /// Moves the counts since the last time into the current buckets, then moves the buckets on to the current time. Called with the gate
    /// held.
    /// </summary>
    private void Settle(long now)
    {
        var totals = Totals;
        _history.Add(totals - _settled.Totals);
        // Read each time, because the clock may have been set.
        long ticks = _time.GetUtcNow().UtcTicks - DateTimeOffset.UnixEpoch.Ticks - _time.GetElapsedTime(now).Ticks;
        _unsaved?.Add(_totals.AsSpan(Padding, Classes.Length));
        _history.MoveTo(ticks / TimeSpan.TicksPerSecond);
        _unsaved?.MoveTo(ticks / TimeSpan.TicksPerSecond);
        _settled = new(_history.Sum(_window), totals);
        // Exact, and rounded down: no minute begins before the clock shows it.
        long start = now - ticks % TimeSpan.TicksPerMinute * _time.TimestampFrequency / TimeSpan.TicksPerSecond;
        if (start > _minuteStart)
            Volatile.Write(ref _minuteStart, start);
    }

    private sealed record Settled(BudgetCount Window, BudgetCount Totals);
}
