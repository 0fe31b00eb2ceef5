namespace HttpResilience.Operations;

/// <summary>
/// The error budget of one client: computes its burn rates from the counted calls (<see cref="CallCounter"/>), and pauses the client. <see
/// cref="BurnRates"/> and <see cref="BudgetPause"/> decide. It outlives handlers and reloads.
/// </summary>
internal sealed class ErrorBudget
{
    /// <summary>From the start of a pause to the first probe, and from the end of each to the next.</summary>
    internal static readonly TimeSpan ProbeInterval = TimeSpan.FromSeconds(30);

    private readonly string _clientName;
    private readonly TimeProvider _time;
    private readonly ErrorBudgetEvents _events;
    private readonly CallCounter _calls;
    private volatile ErrorBudgetPolicy _policy;
    // The totals when the integration was last resumed, less what others had counted since.
    private volatile Judged? _judged;
    private IReadOnlyDictionary<FailureClass, long>? _baseline;
    private int _state;

    /// <param name="isKept">The counts are also collected for a store.</param>
    internal ErrorBudget(string clientName, TimeProvider time, ErrorBudgetPolicy policy, ErrorBudgetEvents events, bool isKept = false)
    {
        (_clientName, _time, _policy, _events) = (clientName, time, policy, events);
        _calls = new(time, policy.Window, isKept);
        Pause = new(ProbeInterval.Ticks * time.TimestampFrequency / TimeSpan.TicksPerSecond);
    }

    internal string ClientName => _clientName;

    internal TimeProvider Time => _time;

    /// <summary>The policy in force. A change keeps the counts.</summary>
    internal ErrorBudgetPolicy Policy
    {
        get => _policy;
        set
        {
            if (_policy == value)
                return;
            _policy = value;
            _calls.Use(value.Window);
            Evaluate(_calls.InWindow);
        }
    }

    internal BudgetPause Pause { get; }

    internal bool IsPaused => Pause.IsPaused;

    internal ErrorBudgetState State => (ErrorBudgetState)Volatile.Read(ref _state);

    /// <summary>The number of calls of each class since the process started; <see cref="FailureClass.None"/> is success.</summary>
    internal IReadOnlyDictionary<FailureClass, long> ClassTotals => _calls.ByClass;

    /// <summary>The same for other versions of the application, as stored when the process started; null when unknown.</summary>
    internal IReadOnlyDictionary<FailureClass, long>? Baseline => Volatile.Read(ref _baseline);

    /// <summary>Admits a call as long as the client is not paused, and as the probe when one is due.</summary>
    /// <returns>Null when it is admitted.</returns>
    internal IntegrationPausedException? Admit(HttpCall call)
    {
        if (!Pause.IsPaused)
            return null;
        long now = _time.GetTimestamp();
        var admission = Pause.Enter(call, now);
        if (admission is { IsAllowed: false, Pause: { } pause })
            return new(_clientName, pause.At, pause.By is null ? Max(_time.GetElapsedTime(now, admission.NextProbeAt)) : null);
        if (admission.Pause is not null)
            _events.ProbeGoesOut(_clientName);
        return null;
    }

    /// <summary>Counts a call that has ended.</summary>
    internal void CallEnded(in EndedCall ended)
    {
        var outcome = ended.Outcome.Api;
        if (outcome is not OutcomeKind.Neutral)
            Count(ended.Outcome.FailureClass, outcome is OutcomeKind.Failure, ended.EndedAt);
        if (Pause.IsProbe(ended.Call) && Pause.Report(ended.Call, outcome, _clientName, _time.GetTimestamp(), ClockTime()))
        {
            Recalculate();
            _events.Resumed(_clientName, by: null);
        }
    }

    /// <summary>Calls and failures of a window that ends now.</summary>
    internal BudgetCount Read(TimeSpan window, long now) => _calls.Read(window, now);

    /// <summary>How many times faster than allowed calls have failed in a window.</summary>
    internal double BurnRate(TimeSpan window, long now) => BurnRates.Of(Read(window, now), _policy.Allowed);

    /// <summary>The share of the budget that is spent, by the calls seen so far.</summary>
    internal double Burn(long now) => BurnRate(_policy.Window, now);

    /// <summary>Whether both windows of a pair burn too fast.</summary>
    internal bool IsBurning(BurnRatePair pair, long now)
    {
        var inShort = Read(pair.Short, now);
        return BurnRates.IsBurning(pair, Read(pair.Long, now), inShort, _policy.Allowed);
    }

    /// <summary>How the budget burns now, over any window.</summary>
    internal BudgetBurn BurnAt(long now) => new(_policy.Window, window => BurnRate(window, now), window => Read(window, now).Failures);

    /// <summary>Pauses or resumes for an operator.</summary>
    /// <returns>The last change, and whether it is this one.</returns>
    internal (ErrorBudgetPause Last, bool IsNew) SetPause(bool isPaused, string by, string? note = null)
    {
        var change = new ErrorBudgetPause(_clientName, isPaused, by, ClockTime()) { Note = note };
        bool isNew = Pause.TrySet(change, _time.GetTimestamp());
        if (isNew)
            Changed(change);
        else if (!isPaused)
            Recalculate();
        return (Pause.Change ?? change, isNew);
    }

    /// <summary>Applies the change of another process or an earlier run.</summary>
    internal void Adopt(ErrorBudgetPause change)
    {
        bool wasPaused = IsPaused;
        if (!Pause.TryAdopt(change, _time.GetTimestamp()))
            return;
        if (change.IsPaused || wasPaused)
            Changed(change);
        else
            Recalculate();
    }

    /// <summary>Loads the stored counts.</summary>
    /// <param name="counts">The counts of all versions.</param>
    /// <param name="version">The version that runs now.</param>
    internal void Load(IReadOnlyList<ErrorBudgetCount> counts, string version)
    {
        _calls.Load(counts);
        if (Pause.Change is { IsPaused: false, At: var resumedAt })
            _judged = new((_judged?.From ?? default) - counts.Where(c => c.Period >= resumedAt)
                .Aggregate(default(BudgetCount), (sum, c) => sum + BudgetCount.Of(c)));
        var others = counts.Where(c => c.Version != version).ToList();
        if (others.Count > 0)
            Volatile.Write(ref _baseline, CallCounter.Classes.ToDictionary(c => c,
                c => others.Where(o => o.FailureClass == c).Sum(o => o.Calls)));
        Evaluate(_calls.InWindow);
    }

    /// <inheritdoc cref="CallCounter.TakeUnsaved"/>
    internal IReadOnlyList<ErrorBudgetCount> TakeUnsaved(string version) => _calls.TakeUnsaved(_clientName, version);

    internal void Count(FailureClass failureClass, bool isFailure, long endedAt)
    {
        if (_calls.Add(failureClass, endedAt))
            Evaluate(_calls.InWindow);
        if (isFailure)
            Failed();
    }

    private void Failed()
    {
        var inWindow = _calls.InWindow;
        Evaluate(inWindow);
        if (Pause.IsPaused || _policy.PauseAtBurn is null)
            return;
        if (!BurnRates.IsPause(_judged?.Of(_calls.Totals, inWindow) ?? inWindow, _policy))
            return;
        var change = new ErrorBudgetPause(_clientName, IsPaused: true, By: null, ClockTime());
        if (Pause.TrySet(change, _time.GetTimestamp()))
            _events.Paused(_clientName, by: null, BurnRates.Of(inWindow, _policy.Allowed));
    }

    private void Evaluate(BudgetCount inWindow)
    {
        var state = BurnRates.StateOf(inWindow, _policy.Allowed);
        if (state == State)
            return;
        var before = (ErrorBudgetState)Interlocked.Exchange(ref _state, (int)state);
        if (before != state)
            _events.Moved(_clientName, state, BurnRates.Of(inWindow, _policy.Allowed), _policy.Window);
    }

    private void Changed(ErrorBudgetPause change)
    {
        if (change.IsPaused)
        {
            _events.Paused(_clientName, change.By, BurnRates.Of(_calls.InWindow, _policy.Allowed));
            return;
        }

        Recalculate();
        _events.Resumed(_clientName, change.By);
    }

    private void Recalculate() => _judged = new(_calls.Totals);

    // In the precision of stores: a finer time would look newer than the stored one.
    private DateTimeOffset ClockTime()
    {
        long ticks = _time.GetUtcNow().UtcTicks;
        return new(ticks - (ticks % TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);
    }

    private static TimeSpan Max(TimeSpan left) => left > TimeSpan.Zero ? left : TimeSpan.Zero;

    private sealed record Judged(BudgetCount From)
    {
        // The counts since then, unless that is longer than the window.
        internal BudgetCount Of(BudgetCount totals, BudgetCount inWindow) =>
            totals - From is var since && since.Calls < inWindow.Calls ? since : inWindow;
    }
}
