namespace HttpResilience.Testing;

/// <summary>The outcomes and recorded requests of a <see cref="FaultScript"/>.</summary>
internal sealed class Script(TimeProvider time, bool keepsRequests)
{
    private readonly Lock _gate = new();
    private readonly List<Outcome> _outcomes = [];
    // In order of arrival; null until the request has been read.
    private readonly List<SentRequest?> _requests = [];
    private readonly long _start = time.GetTimestamp();
    private int _next;
    private int _count;
    private long? _outageBegan;

    internal TimeProvider Time => time;

    internal int Count => Volatile.Read(ref _count);

    internal IReadOnlyList<SentRequest> Requests
    {
        get
        {
            lock (_gate)
                return [.. _requests.OfType<SentRequest>()];
        }
    }

    internal IReadOnlyList<Outcome> Outcomes
    {
        get
        {
            lock (_gate)
                return [.. _outcomes];
        }
    }

    internal void Add(Outcome outcome)
    {
        lock (_gate)
            _outcomes.Add(outcome);
    }

    internal void Replace(IEnumerable<Outcome> outcomes)
    {
        lock (_gate)
        {
            _outcomes.Clear();
            _outcomes.AddRange(outcomes);
            (_next, _outageBegan) = (0, null);
        }
    }

    internal void ChangeLast(Func<Outcome, Outcome> change)
    {
        lock (_gate)
            _outcomes[^1] = change(Last());
    }

    internal void RepeatLast(int times)
    {
        lock (_gate)
            _outcomes.AddRange(Enumerable.Repeat(Last(), times - 1));
    }

    /// <summary>Assigns an arriving request its outcome and its place in the record.</summary>
    internal Arrival Arrive()
    {
        lock (_gate)
        {
            if (keepsRequests)
                _requests.Add(null);
            return new(_count++, Pick(), time.GetUtcNow(), time.GetElapsedTime(_start));
        }
    }

    internal void Record(Arrival arrival, SentRequest request)
    {
        if (!keepsRequests)
            return;
        lock (_gate)
            _requests[arrival.Number] = request;
    }

    private Outcome Last() => _outcomes.Count > 0
        ? _outcomes[^1]
        : throw new InvalidOperationException("The script is empty: add the outcome to change or repeat first.");

    private Outcome Pick()
    {
        while (true)
        {
            if (_outcomes.Count == 0)
                return Outcome.Status(200);

            int index = Math.Min(_next, _outcomes.Count - 1);
            var outcome = _outcomes[index];
            if (outcome is OutageOutcome outage && !IsOver(outage, isLast: index == _outcomes.Count - 1))
                return outcome;
            _next = index + 1;
            if (outcome is not OutageOutcome)
                return outcome;
        }
    }

    private bool IsOver(OutageOutcome outage, bool isLast)
    {
        long now = time.GetTimestamp();
        _outageBegan ??= now;
        if (isLast || time.GetElapsedTime(_outageBegan.Value, now) < outage.Duration)
            return false;
        _outageBegan = null;
        return true;
    }
}

/// <summary>A request that is arriving.</summary>
internal readonly record struct Arrival(int Number, Outcome Outcome, DateTimeOffset At, TimeSpan After);
