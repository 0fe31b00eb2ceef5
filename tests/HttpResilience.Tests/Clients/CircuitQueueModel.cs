using HttpResilience.Tests.CircuitBreaker;

namespace HttpResilience.Tests.Clients;

/// <summary>
/// The calls that wait for a circuit, said as plainly as can be: it is asked at every tick of the clock, and looks through all of them.
/// </summary>
/// <param name="places">How many wait for any circuit of the host.</param>
internal sealed class CircuitQueueModel(ShortBreakModel circuit, long frequency, CircuitQueueModel.Places places)
{
    private readonly List<Waiter> _waiting = [];
    private int _knownPeriod;
    private double _pace;
    private long _drainingSince;
    private long _nextRelease;

    internal int Count => _waiting.Count;

    /// <summary>A tick has passed in which the circuit did not change.</summary>
    internal void Pass()
    {
        foreach (var waiter in _waiting)
        {
            if (circuit.State is CircuitState.Closed)
                waiter.ForTurn--;
            else
                waiter.ToClose--;
        }
    }

    internal Answer Join(CircuitBreakerOptions options, long latest, long toClose, long forTurn, long now)
    {
        Settle(now);
        bool hasPlace = places.Taken < options.MaxWaiting;
        bool mayWait;
        if (circuit.State is CircuitState.Closed)
        {
            mayWait = hasPlace && _waiting.Count > 0 && forTurn > 0 && latest - now > 1;
            if (!mayWait)
                return new(null, circuit.Period);
        }
        else
        {
            if (_waiting.Count == 0 && circuit.Enter(options, now) is { } admitted)
            {
                _knownPeriod = circuit.Period;
                return new(null, admitted);
            }

            mayWait = hasPlace && MayWait(options, toClose, latest, now);
        }

        if (!mayWait)
            return new(null, null);
        var waiter = new Waiter(options, latest) { ArrivedAt = now, ToClose = toClose, ForTurn = forTurn, TurnSince = now };
        _waiting.Add(waiter);
        places.Taken++;
        return new(waiter, null);
    }

    internal void Leave(Waiter waiter)
    {
        if (_waiting.Remove(waiter))
            places.Taken--;
    }

    /// <summary>Ends the waits that are over at this tick.</summary>
    internal void Settle(long now)
    {
        while (circuit.State is not CircuitState.Closed)
        {
            NoteChange(now);
            if (circuit.State is CircuitState.Isolated)
            {
                End(_ => true, null);
                return;
            }

            if (_waiting.Count == 0 || !(circuit.State is CircuitState.HalfOpen || circuit.BreakIsOver(now)))
                break;
            var first = _waiting[0];
            if (first.Latest <= now)
                End(w => w == first, null);
            else if (circuit.Enter(first.Options, now) is { } probe)
                End(w => w == first, probe);
            else if (!End(w => w.ToClose <= 0 || w.Latest <= now, null))
                break;
        }

        if (circuit.State is not CircuitState.Closed)
        {
            End(w => w.ToClose <= 0 || w.Latest <= now, null);
            return;
        }

        NoteChange(now);
        // Half of the time until its deadline is left for its attempt.
        End(w => w.ForTurn <= 0 || now - w.TurnSince >= Math.Max(0, w.Latest - w.TurnSince) / 2, circuit.Period);
        // What is late by more than 0.1 s is not made up for.
        _nextRelease = Math.Max(_nextRelease, now - frequency / 10);
        while (_waiting.Count > 0 && _nextRelease <= now)
        {
            var first = _waiting[0];
            End(w => w == first, circuit.Period);
            double seconds = (now - _drainingSince) / (double)frequency;
            double load = seconds <= 20 ? 1.35 : 1.35 * Math.Pow(1.2, seconds - 20);
            _nextRelease += (long)Math.Max(1, Math.Floor(_pace / load));
        }
    }

    private void NoteChange(long now)
    {
        if (_knownPeriod == circuit.Period)
            return;
        _knownPeriod = circuit.Period;
        if (circuit.State is CircuitState.Open)
            End(w => !MayWait(w.Options, Math.Min(w.ToClose, w.Latest - now), w.Latest, now), null);
        if (circuit.State is not CircuitState.Closed || _waiting.Count == 0)
            return;
        _pace = circuit.Pace > 0 ? circuit.Pace : Math.Max(1, (now - _waiting.Min(w => w.ArrivedAt)) / _waiting.Count);
        (_drainingSince, _nextRelease) = (now, now);
        _waiting.ForEach(w => w.TurnSince = now);
    }

    private bool MayWait(CircuitBreakerOptions options, long left, long latest, long now)
    {
        if (circuit.State is CircuitState.Isolated || options.MaxWait is not { } wait || circuit.Break > wait.TotalSeconds * frequency)
            return false;
        return circuit.State is CircuitState.HalfOpen || circuit.BreakIsOver(now)
            ? left > 0 && latest > now
            : circuit.OpenUntil - now <= left && circuit.OpenUntil < latest;
    }

    private bool End(Func<Waiter, bool> isOver, int? period)
    {
        var ended = _waiting.Where(isOver).ToArray();
        foreach (var waiter in ended)
        {
            _waiting.Remove(waiter);
            places.Taken--;
            (waiter.IsOver, waiter.Period) = (true, period);
        }

        return ended.Length > 0;
    }

    internal sealed class Places
    {
        internal int Taken { get; set; }
    }

    internal sealed class Waiter(CircuitBreakerOptions options, long latest)
    {
        internal CircuitBreakerOptions Options => options;

        internal long Latest => latest;

        internal long ArrivedAt { get; init; }

        internal long ToClose { get; set; }

        internal long ForTurn { get; set; }

        /// <summary>When it arrived, or the circuit closed for it.</summary>
        internal long TurnSince { get; set; }

        internal bool IsOver { get; set; }

        /// <summary>The period of its ticket; null for none.</summary>
        internal int? Period { get; set; }
    }

    /// <param name="Waiter">Null: it does not wait.</param>
    /// <param name="Period">That of its ticket; null for a rejection.</param>
    internal sealed record Answer(Waiter? Waiter, int? Period);
}
