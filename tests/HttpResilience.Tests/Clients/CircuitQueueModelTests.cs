using System.Text;
using HttpResilience.Tests.CircuitBreaker;

namespace HttpResilience.Tests.Clients;

/// <summary>
/// Random sequences of calls that ask for their turn at the circuits of a host and a tenant, leave, are sent or not, of operators, reloads,
/// and a clock that also jumps: every call gets what the model says, once, and no place and no timer is left.
/// </summary>
public sealed class CircuitQueueModelTests
{
    private const int Sequences = 10_000;
    private const int Steps = 100;
    // Ten ticks a second, so that the twenty seconds of a steady drain are reached.
    private const long Frequency = 10;

    [Fact]
    public void Ten_thousand_random_sequences_go_as_the_model_says()
    {
        int first = Random.Shared.Next(1_000_000);
        TestContext.Current.TestOutputHelper?.WriteLine($"seeds from {first}");
        var seen = new Seen();
        for (int seed = first; seed < first + Sequences; seed++)
            new Sequence(seed, seen).Run();

        TestContext.Current.TestOutputHelper?.WriteLine($"{seen}");
        // Else the sequences did not get anywhere.
        foreach (int count in new[] { seen.Probes, seen.Released, seen.Refused, seen.Left, seen.NotSent, seen.AtOnce, seen.LongDrains })
            count.ShouldBeGreaterThan(Sequences / 50, $"{seen}");
    }

    private sealed record Seen
    {
        internal int Probes, Released, Refused, Left, NotSent, AtOnce, LongDrains;

        public override string ToString() =>
            $"{Probes} probes that waited, {Released} released, {LongDrains} of them after 20 s, {AtOnce} not in their turn, "
            + $"{Refused} refused, {Left} left, {NotSent} not sent";
    }

    private sealed class Part(CircuitPlaces places, CircuitQueueModel.Places modelPlaces, QueueClock clock)
    {
        internal CircuitMachine Circuit { get; } = new();

        internal ShortBreakModel CircuitModel { get; } = new(Frequency);

        internal CircuitQueue Queue => field ??= new(Circuit, places, clock);

        internal CircuitQueueModel Model => field ??= new(CircuitModel, Frequency, modelPlaces);

        internal List<(CircuitWaiter Waiter, CircuitQueueModel.Waiter Expected)> Waiting { get; } = [];

        internal List<(int Ticket, int Period, long StartedAt, CircuitBreakerOptions Options)> Underway { get; } = [];

        /// <summary>The tickets of the model's periods.</summary>
        internal Dictionary<int, int> Tickets { get; } = [];

        internal long DrainingSince { get; set; } = long.MaxValue;
    }

    private sealed class Sequence
    {
        private readonly int _seed;
        private readonly Random _random;
        private readonly QueueClock _clock = new(Frequency);
        private readonly CircuitPlaces _places = new();
        private readonly CircuitQueueModel.Places _modelPlaces = new();
        private readonly Part[] _parts;
        private readonly StringBuilder _log = new();
        private readonly Seen _seen;
        private readonly int _busy;
        private readonly bool _isPatient;
        private CircuitBreakerOptions _options;
        private bool _isDown;

        internal Sequence(int seed, Seen seen)
        {
            (_seed, _random, _seen) = (seed, new(seed), seen);
            _parts = [.. Enumerable.Range(0, _random.Next(1, 3)).Select(_ => new Part(_places, _modelPlaces, _clock))];
            (_busy, _isPatient) = (_random.Next(1, 60), seed % 5 == 0);
            _options = NewOptions();
            Log(Describe(_options));
        }

        internal void Run()
        {
            for (int step = 0; step < (_isPatient ? 3 * Steps : Steps); step++)
            {
                var part = _parts[_random.Next(_parts.Length)];
                Step(part);
                Array.ForEach(_parts, Compare);
            }

            // Everything ends, and nothing is left.
            _isDown = false;
            for (int tick = 0; tick < 10_000 && _parts.Any(p => p.Waiting.Count > 0); tick++)
                PassTime(1);
            if (_parts.Any(p => p.Waiting.Count > 0) || _places.Taken != 0 || _clock.Timers != 0)
                Fail($"{_parts.Sum(p => p.Waiting.Count)} wait for ever, {_places.Taken} places taken, {_clock.Timers} timers left");
            if (_parts.Any(p => !p.Queue.IsEmpty))
                Fail("the queue is not empty");
        }

        private void Step(Part part)
        {
            int choice = _random.Next(100);
            if (choice < _busy)
                Join(part);
            else if (choice < 70)
                Report(part);
            else if (choice < (_isPatient ? 95 : 80))
                PassTime(_random.Next(1, 12));
            else
                Rarely(part);
        }

        private void Rarely(Part part)
        {
            switch (_random.Next(16))
            {
                case 0:
                    Log("isolate");
                    part.CircuitModel.Isolate();
                    part.Circuit.Isolate(_clock.Now);
                    Advance(part);
                    break;
                case 1 or 2:
                    Log("close");
                    part.CircuitModel.Close(_clock.Now);
                    part.Circuit.Close(_clock.Now);
                    Advance(part);
                    break;
                case 3:
                    _options = NewOptions();
                    Log($"reload: {Describe(_options)}");
                    break;
                case 4:
                    PassTime(_random.Next(1, 150));
                    break;
                case 5:
                    Jump(_random.Next(1, 60));
                    break;
                case 6 or 7 or 8:
                    Leave(part);
                    break;
                case 9 or 10:
                    GiveBack(part);
                    break;
                default:
                    _isDown = !_isDown;
                    break;
            }
        }

        private void Join(Part part)
        {
            var policy = CircuitPolicy.From(_options, Frequency)!;
            long wait = policy.MaxWait ?? 50;
            long latest = _random.Next(4) == 0 ? _clock.Now + _random.Next(-1, 80) : long.MaxValue;
            (long toClose, long forTurn) = (wait - _random.Next(3) * _random.Next(30), wait - _random.Next(3) * _random.Next(30));
            var expected = part.Model.Join(_options, latest, toClose, forTurn, _clock.Now);
            var turn = part.Queue.Join(policy, latest, toClose, forTurn, isLast: false);
            Log($"join until {latest}, {toClose} to close, {forTurn} for its turn: {turn}");
            if (turn.Waiter is null != expected.Waiter is null)
                Fail($"the model says {expected}");
            Note(part);
            if (turn.Waiter is { } waiter)
                part.Waiting.Add((waiter, expected.Waiter!));
            else
                Admit(part, turn.Ticket, expected.Period, _options);
        }

        private void Admit(Part part, int ticket, int? period, CircuitBreakerOptions options)
        {
            if (ticket != (period is { } p ? part.Tickets.GetValueOrDefault(p) : CircuitMachine.NoTicket))
                Fail($"ticket {ticket}, the model says period {period}");
            if (period is not null)
                part.Underway.Add((ticket, period.Value, _clock.Now, options));
        }

        private void Leave(Part part)
        {
            // One that has got its turn in the same moment leaves too.
            if (part.Waiting.Count == 0)
                return;
            int which = _random.Next(part.Waiting.Count);
            var (waiter, expected) = part.Waiting[which];
            part.Waiting.RemoveAt(which);
            Log($"number {which} of those that wait leaves");
            part.Model.Leave(expected);
            part.Model.Settle(_clock.Now);
            part.Queue.Leave(waiter);
            Note(part);
            _seen.Left++;
            if (waiter.Turn.IsCompleted)
                Fail("it has left, and gets its turn");
        }

        private void GiveBack(Part part)
        {
            if (part.Underway.Count == 0)
                return;
            int which = _random.Next(part.Underway.Count);
            var (ticket, period, startedAt, options) = part.Underway[which];
            part.Underway.RemoveAt(which);
            Log($"the attempt of period {period} is not sent");
            part.CircuitModel.Report(options, period, CircuitOutcome.Neutral, startedAt, 0, _clock.Now);
            part.Model.Settle(_clock.Now);
            part.Queue.GiveBack(CircuitPolicy.From(options, Frequency)!, ticket);
            _seen.NotSent++;
            Note(part);
        }

        private void Report(Part part)
        {
            if (part.Underway.Count == 0)
                return;
            int which = _random.Next(part.Underway.Count);
            var (ticket, period, startedAt, options) = part.Underway[which];
            part.Underway.RemoveAt(which);
            var outcome = _random.Next(15) == 0 ? CircuitOutcome.Neutral
                : _random.Next(100) < (_isDown ? 98 : 5) ? CircuitOutcome.Failure
                : CircuitOutcome.Success;
            long openAtLeast = _random.Next(30) == 0 ? _random.Next(100) : 0;
            Log($"{outcome} of period {period} begun at {startedAt}, open at least {openAtLeast}");
            part.CircuitModel.Report(options, period, outcome, startedAt, openAtLeast, _clock.Now);
            var policy = CircuitPolicy.From(options, Frequency)!;
            var transition = part.Circuit.Report(policy, ticket, outcome, startedAt, openAtLeast, _clock.Now);
            if (transition is not null || CircuitMachine.IsProbe(ticket))
                Advance(part);
        }

        private void PassTime(long ticks)
        {
            for (; ticks > 0; ticks--)
            {
                Array.ForEach(_parts, p => p.Model.Pass());
                _clock.Advance(1);
                Log($"the time is {_clock.Now}");
                foreach (var part in _parts)
                {
                    part.Model.Settle(_clock.Now);
                    Note(part);
                }

                Array.ForEach(_parts, Compare);
            }
        }

        // The process was stopped: the timers fire late.
        private void Jump(long ticks)
        {
            for (long tick = 0; tick < ticks; tick++)
                Array.ForEach(_parts, p => p.Model.Pass());
            _clock.Advance(ticks);
            Log($"the time jumps to {_clock.Now}");
            foreach (var part in _parts)
            {
                part.Model.Settle(_clock.Now);
                Note(part);
            }
        }

        private void Advance(Part part)
        {
            part.Model.Settle(_clock.Now);
            part.Queue.Advance();
            Note(part);
        }

        private static void Note(Part part) => part.Tickets[part.CircuitModel.Period] = part.Circuit.Period;

        private void Compare(Part part)
        {
            if (part.Circuit.State != part.CircuitModel.State)
                Fail($"the circuit is {part.Circuit.State}, the model says {part.CircuitModel.State}");
            if (_places.Taken != _modelPlaces.Taken)
                Fail($"{_places.Taken} places taken, the model says {_modelPlaces.Taken}");
            if (part.Queue.IsEmpty != (part.Model.Count == 0))
                Fail($"empty: {part.Queue.IsEmpty}, the model has {part.Model.Count}");
            var over = part.Waiting.Where(w => w.Waiter.Turn.IsCompleted || w.Expected.IsOver).ToArray();
            foreach (var (waiter, expected) in over)
            {
                if (!waiter.Turn.IsCompleted || !expected.IsOver)
                    Fail($"over: {waiter.Turn.IsCompleted}, the model says {expected.IsOver}");
                if (waiter.ToClose != expected.ToClose || waiter.ForTurn != expected.ForTurn)
                    Fail($"left {waiter.ToClose} and {waiter.ForTurn}, the model says {expected.ToClose} and {expected.ForTurn}");
                Count(part, waiter);
                Admit(part, waiter.Ticket, expected.Period, expected.Options);
            }

            part.Waiting.RemoveAll(w => w.Expected.IsOver);
        }

        private void Count(Part part, CircuitWaiter waiter)
        {
            if (waiter.Ticket == CircuitMachine.NoTicket)
                _seen.Refused++;
            else if (CircuitMachine.IsProbe(waiter.Ticket))
                _seen.Probes++;
            else if (waiter.ForTurn <= 0 || waiter.Latest <= _clock.Now)
                _seen.AtOnce++;
            else
                _seen.Released++;
            if (part.Circuit.State is not CircuitState.Closed)
                part.DrainingSince = long.MaxValue;
            else if (part.DrainingSince == long.MaxValue)
                part.DrainingSince = _clock.Now;
            else if (_clock.Now - part.DrainingSince > 20 * Frequency)
                _seen.LongDrains++;
        }

        private CircuitBreakerOptions NewOptions()
        {
            var options = RandomOptions.Next(_random);
            options.SamplingDuration = TimeSpan.FromSeconds(30);
            // The history of the circuit depends on whether they are counted.
            (options.SlowCallDuration, options.FailureDuration) = (null, TimeSpan.FromMilliseconds(100 * _random.Next(6)));
            options.MaxWait = _random.Next(8) == 0 ? null : TimeSpan.FromMilliseconds(100 * _random.Next(1, _random.Next(2, 400)));
            options.MaxWaiting = _random.Next(40);
            // For drains that last.
            if (_isPatient)
                (options.MaxWait, options.FailureThreshold) = (TimeSpan.FromSeconds(_random.Next(30, 200)), 1);
            return options;
        }

        private void Log(string what) => _log.AppendLine(what);

        private static string Describe(CircuitBreakerOptions options) =>
            $"break {options.BreakDuration} to {options.MaxBreakDuration}, {options.MaxWaiting} wait {options.MaxWait}, "
            + $"{options.HalfOpenProbes} probes, {options.SuccessThreshold} close";

        private void Fail(string what) => Assert.Fail($"seed {_seed}: {what}\n{_log}");
    }
}
