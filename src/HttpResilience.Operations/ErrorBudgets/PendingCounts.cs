namespace HttpResilience.Operations;

/// <summary>
/// The counts that are not stored yet, by 5 minutes and class. When the store is unreachable for a day, older counts are merged, which
/// bounds the memory. Not thread-safe.
/// </summary>
internal sealed class PendingCounts
{
    /// <summary>In seconds.</summary>
    internal const long PeriodLength = 300;

    private const int MaxPeriods = 288;

    private readonly SortedList<long, long[]> _periods = [];
    private readonly long[] _taken = new long[CallCounter.Classes.Length];
    private long _period;

    /// <summary>The time has come to this, in seconds since 1970.</summary>
    internal void MoveTo(long second) => _period = second / PeriodLength;

    /// <summary>Takes what is new.</summary>
    /// <param name="totals">All that was ever counted, by class.</param>
    internal void Add(ReadOnlySpan<long> totals)
    {
        for (int c = 0; c < _taken.Length; c++)
        {
            long added = totals[c] - _taken[c];
            if (added == 0)
                continue;
            // Calls that end meanwhile are counted the next time.
            _taken[c] += added;
            Current()[c] += added;
        }
    }

    internal IReadOnlyList<ErrorBudgetCount> Take(string clientName, string version)
    {
        List<ErrorBudgetCount> counts = [];
        foreach (var (period, calls) in _periods)
        {
            for (int c = 0; c < calls.Length; c++)
            {
                if (calls[c] > 0)
                    counts.Add(new(clientName, version, DateTimeOffset.FromUnixTimeSeconds(period * PeriodLength), CallCounter.Classes[c],
                        calls[c]));
            }
        }

        _periods.Clear();
        return counts;
    }

    private long[] Current()
    {
        if (_periods.TryGetValue(_period, out long[]? calls))
            return calls;
        _periods.Add(_period, calls = new long[_taken.Length]);
        if (_periods.Count > MaxPeriods)
        {
            for (int c = 0; c < calls.Length; c++)
                _periods.Values[1][c] += _periods.Values[0][c];
            _periods.RemoveAt(0);
        }

        return calls;
    }
}
