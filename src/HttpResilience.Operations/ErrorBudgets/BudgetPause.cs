namespace HttpResilience.Operations;

/// <summary>
/// Whether an integration is paused, and which call is let through as a probe. It has no clock and does no I/O. Without a pause, a call is
/// admitted without a lock.
/// </summary>
/// <param name="probeInterval">
/// From the start of the pause to the first probe, and from the end of each to the next, in timestamp ticks.
/// </param>
internal sealed class BudgetPause(long probeInterval)
{
    internal const int ProbesToResume = 3;

    private readonly Lock _gate = new();
    private ErrorBudgetPause? _change;
    private ErrorBudgetPause? _unwritten;
    private volatile bool _isPaused;
    private long _nextProbeAt;
    private object? _probe;
    private int _succeeded;

    internal bool IsPaused => _isPaused;

    /// <summary>The last time that it was paused or resumed; null when it never was.</summary>
    internal ErrorBudgetPause? Change => Volatile.Read(ref _change);

    /// <summary>Whether this is a change by a person of this process whose entry of the activity is not stored yet.</summary>
    internal bool IsUnwritten(ErrorBudgetPause change) => ReferenceEquals(Volatile.Read(ref _unwritten), change);

    /// <summary>The entry of the activity is stored, or a later change is.</summary>
    internal void Written(ErrorBudgetPause change) => Interlocked.CompareExchange(ref _unwritten, null, change);

    /// <summary>Whether a call that starts now would be rejected.</summary>
    internal bool RejectsAt(long now)
    {
        if (!_isPaused)
            return false;
        lock (_gate)
            return _isPaused && !MayProbe(now);
    }

    /// <summary>Admits a call, or rejects it.</summary>
    /// <param name="call">Becomes the probe when one is due.</param>
    internal PauseAdmission Enter(object call, long now)
    {
        if (!_isPaused)
            return PauseAdmission.NotPaused;
        lock (_gate)
        {
            if (!_isPaused)
                return PauseAdmission.NotPaused;
            if (!MayProbe(now))
                return new(false, _change, _probe is not null ? now + probeInterval : _nextProbeAt);
            Volatile.Write(ref _probe, call);
            return new(true, _change, 0);
        }
    }

    /// <summary>Whether the call is the probe in flight.</summary>
    internal bool IsProbe(object call) => _isPaused && Volatile.Read(ref _probe) == call;

    /// <summary>Applies the result of a probe. A probe of an earlier pause changes nothing.</summary>
    /// <param name="call">The call that became the probe.</param>
    /// <param name="at">The wall-clock time.</param>
    /// <returns>Whether the integration is resumed by it.</returns>
    internal bool Report(object call, OutcomeKind outcome, string clientName, long now, DateTimeOffset at)
    {
        lock (_gate)
        {
            if (!_isPaused || _probe != call)
                return false;

            Volatile.Write(ref _probe, null);
            if (outcome is OutcomeKind.Neutral)
                return false;
            _nextProbeAt = now + probeInterval;
            _succeeded = outcome is OutcomeKind.Success ? _succeeded + 1 : 0;
            if (_succeeded < ProbesToResume)
                return false;
            Set(After(new(clientName, IsPaused: false, By: null, at)), now);
            return true;
        }
    }

    /// <summary>Pauses or resumes.</summary>
    /// <returns>False when nothing changed: a pause keeps its author, but an operator takes over a pause of the budget.</returns>
    internal bool TrySet(ErrorBudgetPause change, long now)
    {
        lock (_gate)
        {
            bool takesOver = _isPaused && change is { IsPaused: true, By: not null } && _change!.By is null;
            if (change.IsPaused == _isPaused && !takesOver)
            {
                // A pause of another process may not be known here yet; the later change wins there, too.
                if (!change.IsPaused)
                    Volatile.Write(ref _change, After(change));
                return false;
            }

            change = After(change);
            // Before the change itself: who reads the change must find it unwritten.
            Volatile.Write(ref _unwritten, change.By is null ? null : change);
            Set(change, now);
            return true;
        }
    }

    /// <summary>Applies the change of another process, if it is later.</summary>
    /// <returns>Whether the change pauses or resumes the integration; a resume restarts the evaluation even if it was not paused.</returns>
    internal bool TryAdopt(ErrorBudgetPause change, long now)
    {
        lock (_gate)
        {
            if (_change is not null && _change.At >= change.At)
                return false;
            if (_isPaused && _change is { By: not null } && change is { By: null })
            {
                // The budget and the probes of another process do not end an operator's pause: its time is moved after their change.
                var moved = _change with { At = change.At.AddMicroseconds(1) };
                Interlocked.CompareExchange(ref _unwritten, moved, _change);
                Volatile.Write(ref _change, moved);
                return false;
            }

            bool changes = change.IsPaused != _isPaused;
            // A probe that is in flight when an operator takes over the pause does not end it.
            if (changes || (change.IsPaused && change.By != _change?.By))
                Set(change, now);
            else
                Volatile.Write(ref _change, change);
            return changes || !change.IsPaused;
        }
    }

    // The last change may have a later time, from another machine's clock or before this clock was set back; the new change is placed after
    // it.
    private ErrorBudgetPause After(ErrorBudgetPause change) =>
        _change is { At: var last } && last >= change.At ? change with { At = last.AddMicroseconds(1) } : change;

    // An operator's pause is ended only by an operator.
    private bool MayProbe(long now) => _change!.By is null && _probe is null && now >= _nextProbeAt;

    private void Set(ErrorBudgetPause change, long now)
    {
        Volatile.Write(ref _change, change);
        Volatile.Write(ref _probe, null);
        (_succeeded, _nextProbeAt) = (0, now + probeInterval);
        _isPaused = change.IsPaused;
    }
}

/// <summary>Whether a call is admitted.</summary>
/// <param name="IsAllowed">The call is admitted; during a pause, as the probe.</param>
/// <param name="Pause">The pause; null when there is none.</param>
/// <param name="NextProbeAt">For a rejected call: the timestamp of the next probe, at the earliest.</param>
internal readonly record struct PauseAdmission(bool IsAllowed, ErrorBudgetPause? Pause, long NextProbeAt)
{
    internal static PauseAdmission NotPaused => new(true, null, 0);
}
