namespace HttpResilience;

/// <summary>
/// The error budget of one client: counts how calls end, and knows how fast the budget burns. <see cref="BurnRates"/> and <see cref="BudgetPause"/> decide. It
/// outlives handlers and reloads. While a minute lasts, a call that ends adds one to a number and takes no lock.
/// </summary>
internal sealed class ErrorBudget
{
    /// <summary>From the start of a pause to the first probe, and from the end of each to the next.</summary>
    internal static readonly TimeSpan ProbeInterval = TimeSpan.FromSeconds(30);

    internal static readonly FailureClass[] Classes = Enum.GetValues<FailureClass>();

    // All bits for the classes that count against the budget, none for the others.
    private static readonly long[] CountsAgainst = [.. Classes.Select(c => BurnRates.IsFailure(c) ? -1L : 0)];

    // What lies next to an array is somebody else's, and written at other times.
    private const int Padding = 8;

    private readonly Lock _gate = new();
    private readonly string _clientName;
    private readonly TimeProvider _time;
    private readonly ErrorBudgetEvents _events;
    private readonly CountHistory _history = new();
    private readonly UnsavedCounts? _unsaved;
    private readonly long[] _totals = new long[Padding + Classes.Length + Padding];
    private readonly long _minuteLength;
    private long _minuteStart;
    private volatile ErrorBudgetPolicy _policy;
    // What the window held when the minute began, and the totals then.
    private volatile Settled _settled = new(default, default);
    // The totals when the integration was last resumed, less what others had counted since.
    private volatile Judged? _judged;
    private IReadOnlyDictionary<FailureClass, long>? _baseline;
    private int _state;

    /// <param name="isKept">There is a store that the counts go to.</param>
    internal ErrorBudget(string clientName, TimeProvider time, ErrorBudgetPolicy policy, ErrorBudgetEvents events, bool isKept = false)
    {
        (_clientName, _time, _policy, _events) = (clientName, time, policy, events);
        _unsaved = isKept ? new() : null;
        _minuteLength = 60 * time.TimestampFrequency;
        Pause = new((long)(ProbeInterval.TotalSeconds * time.TimestampFrequency));
        long now = time.GetTimestamp();
        _minuteStart = long.MinValue;
        lock (_gate)
            Settle(now);
    }

    /// <summary>What holds now. Changing it leaves the counts alone.</summary>
    internal ErrorBudgetPolicy Policy
    {
        get => _policy;
        set
        {
            if (_policy == value)
                return;
            lock (_gate)
            {
                _policy = value;
                Settle(_time.GetTimestamp());
            }

            Evaluate();
        }
    }

    internal BudgetPause Pause { get; }

    internal bool IsPaused => Pause.IsPaused;

    internal ErrorBudgetState State => (ErrorBudgetState)Volatile.Read(ref _state);

    /// <summary>How many calls have ended in which way since the process started; <see cref="FailureClass.None"/> is success.</summary>
    internal IReadOnlyDictionary<FailureClass, long> ClassTotals => Classes.ToDictionary(c => c, TotalOf);

    /// <summary>The same of other versions of the application, as far as the store knew when the process started; null when nothing is known.</summary>
    internal IReadOnlyDictionary<FailureClass, long>? Baseline => Volatile.Read(ref _baseline);

    /// <summary>A call asks to be let through.</summary>
    /// <exception cref="IntegrationPausedException">It is not.</exception>
    internal void Admit(HttpCall call)
    {
        long now = _time.GetTimestamp();
        var admission = Pause.Enter(now);
        if (admission is { IsAllowed: false, Pause: { } pause })
        {
            call.Stop(StopReason.IntegrationPaused, FailureClass.Transient);
            throw new IntegrationPausedException(_clientName, pause.At, pause.By is null ? Max(_time.GetElapsedTime(now, admission.NextProbeAt)) : null);
        }

        if (admission.Ticket == BudgetPause.NoTicket)
            return;
        call.ProbeTicket = admission.Ticket;
        _events.ProbeGoesOut(_clientName);
    }

    /// <summary>Counts a call that has ended.</summary>
    internal void CallEnded(HttpCall call)
    {
        var failureClass = call.FailureClass;
        BudgetOutcome outcome;
        if (failureClass is FailureClass.None)
            outcome = call.StopReason is StopReason.Replayed ? BudgetOutcome.Neutral : BudgetOutcome.Good;
        else
            outcome = BurnRates.OutcomeOf(failureClass, call.StopReason, call.LastAttempt?.StatusCode is not null);
        if (outcome is not BudgetOutcome.Neutral)
            Count(failureClass, outcome is BudgetOutcome.Failure, call.EndedAt);
        if (Pause.IsPaused && call.ProbeTicket is not BudgetPause.NoTicket and var ticket
            && Pause.Report(ticket, outcome, _clientName, _time.GetTimestamp(), ClockTime()))
        {
            JudgeAnew();
            _events.Resumed(_clientName, by: null);
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

    /// <summary>How many times faster than allowed calls have failed in a window.</summary>
    internal double BurnRate(TimeSpan window, long now) => BurnRates.Of(Read(window, now), _policy.Allowed);

    /// <summary>Which part of the budget is used up, as of the calls seen so far.</summary>
    internal double Burn(long now) => BurnRate(_policy.Window, now);

    /// <summary>Whether both windows of a pair burn too fast.</summary>
    internal bool IsBurning(BurnRatePair pair, long now)
    {
        var inShort = Read(pair.Short, now);
        return BurnRates.IsBurning(pair, Read(pair.Long, now), inShort, _policy.Allowed);
    }

    /// <summary>Pauses or resumes by a person's word.</summary>
    internal ErrorBudgetPause SetPause(bool isPaused, string by)
    {
        var change = new ErrorBudgetPause(_clientName, isPaused, by, ClockTime());
        if (Pause.TrySet(change, _time.GetTimestamp()))
            Changed(change);
        else if (!isPaused)
            JudgeAnew();
        return Pause.Change ?? change;
    }

    /// <summary>Takes over what another process, or an earlier run, has done.</summary>
    internal void Adopt(ErrorBudgetPause change)
    {
        if (Pause.TryAdopt(change, _time.GetTimestamp()))
            Changed(change);
    }

    /// <summary>Takes what the store knows from before.</summary>
    /// <param name="counts">What was counted, by any version.</param>
    /// <param name="version">The version that runs now.</param>
    internal void Load(IReadOnlyList<ErrorBudgetCount> counts, string version)
    {
        var resumedAt = Pause.Change is { IsPaused: false, At: var at } ? at : (DateTimeOffset?)null;
        var sinceResumed = default(BudgetCount);
        lock (_gate)
        {
            Settle(_time.GetTimestamp());
            foreach (var count in counts)
            {
                var calls = new BudgetCount(count.Calls, BurnRates.IsFailure(count.FailureClass) ? count.Calls : 0);
                // At the end of its 5 minutes: it is not forgotten before its time.
                _history.Add(count.Period.ToUnixTimeSeconds() + UnsavedCounts.PeriodLength - 1, calls);
                if (count.Period >= resumedAt)
                    sinceResumed += calls;
            }

            Settle(_time.GetTimestamp());
        }

        if (resumedAt is not null)
            _judged = new((_judged?.From ?? default) - sinceResumed);
        var others = counts.Where(c => c.Version != version).ToList();
        if (others.Count > 0)
            Volatile.Write(ref _baseline, Classes.ToDictionary(c => c, c => others.Where(o => o.FailureClass == c).Sum(o => o.Calls)));
        Evaluate();
    }

    /// <summary>Takes what has been counted since the last time; empty when nothing was, or nothing is kept.</summary>
    internal IReadOnlyList<ErrorBudgetCount> TakeUnsaved(string version)
    {
        lock (_gate)
        {
            Settle(_time.GetTimestamp());
            return _unsaved?.Take(_clientName, version) ?? [];
        }
    }

    internal void Count(FailureClass failureClass, bool isFailure, long endedAt)
    {
        if ((ulong)(endedAt - Volatile.Read(ref _minuteStart)) >= (ulong)_minuteLength)
            BeginMinute(endedAt);
        Interlocked.Increment(ref _totals[Padding + (int)failureClass]);
        if (isFailure)
            Failed();
    }

    private void BeginMinute(long endedAt)
    {
        // One that ended in the minute before and comes only now counts for this one.
        if (endedAt < Volatile.Read(ref _minuteStart))
            return;
        lock (_gate)
        {
            if (endedAt - _minuteStart >= _minuteLength)
                Settle(endedAt);
        }

        Evaluate();
    }

    /// <summary>Puts what was counted since the last time where it belongs, and lets time go on. Called with the gate held.</summary>
    private void Settle(long now)
    {
        var totals = Totals();
        _history.Add(totals - _settled.Totals);
        // Read anew each time: the clock may have been set.
        long ticks = _time.GetUtcNow().UtcTicks - DateTimeOffset.UnixEpoch.Ticks - _time.GetElapsedTime(now).Ticks;
        _unsaved?.Add(_totals.AsSpan(Padding, Classes.Length));
        _history.MoveTo(ticks / TimeSpan.TicksPerSecond);
        _unsaved?.MoveTo(ticks / TimeSpan.TicksPerSecond);
        _settled = new(_history.Sum(_policy.Window), totals);
        long start = now - (long)(ticks % TimeSpan.TicksPerMinute * (_time.TimestampFrequency / (double)TimeSpan.TicksPerSecond));
        if (start > _minuteStart)
            Volatile.Write(ref _minuteStart, start);
    }

    private void Failed()
    {
        var inWindow = InWindow();
        Evaluate(inWindow);
        if (Pause.IsPaused || _policy.PauseAtBurn is null)
            return;
        if (!BurnRates.IsPause(_judged?.Of(Totals(), inWindow) ?? inWindow, _policy))
            return;
        var change = new ErrorBudgetPause(_clientName, IsPaused: true, By: null, ClockTime());
        if (Pause.TrySet(change, _time.GetTimestamp()))
            _events.Paused(_clientName, by: null, BurnRates.Of(inWindow, _policy.Allowed));
    }

    private void Evaluate() => Evaluate(InWindow());

    private void Evaluate(BudgetCount inWindow)
    {
        var state = BurnRates.StateOf(inWindow, _policy.Allowed);
        if (state == State)
            return;
        var before = (ErrorBudgetState)Interlocked.Exchange(ref _state, (int)state);
        if (before != state)
            _events.Moved(_clientName, state, BurnRates.Of(inWindow, _policy.Allowed), _policy.Window);
    }

    private BudgetCount InWindow()
    {
        var settled = _settled;
        return settled.Window + Totals() - settled.Totals;
    }

    private void Changed(ErrorBudgetPause change)
    {
        if (change.IsPaused)
        {
            _events.Paused(_clientName, change.By, BurnRates.Of(InWindow(), _policy.Allowed));
            return;
        }

        JudgeAnew();
        _events.Resumed(_clientName, change.By);
    }

    private void JudgeAnew() => _judged = new(Totals());

    private BudgetCount Totals()
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

    private long TotalOf(FailureClass failureClass) => Volatile.Read(ref _totals[Padding + (int)failureClass]);

    // As stores keep it: what is finer would look newer than what they have.
    private DateTimeOffset ClockTime()
    {
        long ticks = _time.GetUtcNow().UtcTicks;
        return new(ticks - (ticks % TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);
    }

    private static TimeSpan Max(TimeSpan left) => left > TimeSpan.Zero ? left : TimeSpan.Zero;

    private sealed record Settled(BudgetCount Window, BudgetCount Totals);

    private sealed record Judged(BudgetCount From)
    {
        // What was counted since, unless that is longer than the window.
        internal BudgetCount Of(BudgetCount totals, BudgetCount inWindow) => totals - From is var since && since.Calls < inWindow.Calls ? since : inWindow;
    }
}
