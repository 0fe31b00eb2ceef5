using System.Text;

namespace HttpResilience.Tests.CircuitBreaker;

/// <summary>
/// Random sequences of attempts of a circuit with short breaks, with results in any order and late, hiccups, hosts that fall silent,
/// operators, reloads and steps of the clock: it does what its model does.
/// </summary>
public sealed class ShortBreakModelTests
{
    private const int Sequences = 10_000;
    private const int Steps = 120;

    [Fact]
    public void Ten_thousand_random_sequences_go_as_the_model_says()
    {
        int first = Random.Shared.Next(1_000_000);
        TestContext.Current.TestOutputHelper?.WriteLine($"seeds from {first}");
        var seen = new Seen();
        for (int seed = first; seed < first + Sequences; seed++)
            new Sequence(seed).Run(seen);

        // Else the sequences did not get anywhere.
        foreach (var state in Enum.GetValues<CircuitState>())
            seen.States[state].ShouldBeGreaterThan(Sequences / 2, state.ToString());
        seen.Reopened.ShouldBeGreaterThan(Sequences / 2);
        seen.GrownBreaks.ShouldBeGreaterThan(Sequences / 20);
        seen.Paces.ShouldBeGreaterThan(Sequences / 20);
    }

    private sealed class Seen
    {
        internal Dictionary<CircuitState, int> States { get; } = [];

        internal int Reopened { get; set; }

        internal int GrownBreaks { get; set; }

        internal int Paces { get; set; }
    }

    private sealed class Sequence
    {
        private readonly int _seed;
        private readonly Random _random;
        private readonly CircuitMachine _circuit = CircuitPolicies.NewCircuit();
        private readonly ShortBreakModel _model = new(CircuitPolicies.Frequency);
        private readonly List<(int Ticket, int Period, long StartedAt)> _underway = [];
        private readonly StringBuilder _log = new();
        private CircuitBreakerOptions _options;
        private CircuitPolicy _policy;
        private int _failureChance;
        private long _now;

        internal Sequence(int seed)
        {
            _seed = seed;
            _random = new(seed);
            _now = _random.Next(1_000_000);
            _failureChance = _random.Next(5, 95);
            _options = RandomOptions.Next(_random);
            _policy = CircuitPolicy.From(_options, CircuitPolicies.Frequency)!;
        }

        internal void Run(Seen seen)
        {
            for (int step = 0; step < Steps; step++)
            {
                var (before, lengthBefore) = (_circuit.State, _circuit.Break);
                var transition = Step();
                if (_circuit.State != _model.State)
                    Fail($"{_circuit.State}, the model says {_model.State}");
                if (_model.State is CircuitState.Open && (_circuit.OpenUntil, _circuit.Break) != (_model.OpenUntil, _model.Break))
                    Fail($"open for {_circuit.Break} until {_circuit.OpenUntil}, the model says {_model.Break} until {_model.OpenUntil}");
                if (_circuit.Pace != _model.Pace)
                    Fail($"the pace is {_circuit.Pace}, the model says {_model.Pace}");
                var expected = _circuit.State == before ? null
                    : new CircuitTransition(_circuit.State, _circuit.State is CircuitState.Open ? _circuit.Break : 0);
                if (transition != expected)
                    Fail($"told {transition}, happened {expected}");

                seen.States[_circuit.State] = seen.States.GetValueOrDefault(_circuit.State) + 1;
                if (before is CircuitState.HalfOpen && _circuit.State is CircuitState.Open)
                    (seen.Reopened, seen.GrownBreaks) = (seen.Reopened + 1, seen.GrownBreaks + (_circuit.Break > lengthBefore ? 1 : 0));
                if (_circuit.State is CircuitState.Open && _circuit.Pace > 0)
                    seen.Paces++;
            }
        }

        private CircuitTransition? Step() => _random.Next(100) switch
        {
            < 12 => PassTime(),
            < 13 => Log("isolate", () => _model.Isolate(), () => _circuit.Isolate(_now)),
            < 15 => Log("close", () => _model.Close(_now), () => _circuit.Close(_now)),
            < 16 => Reload(),
            < 18 => Log("another mood", () => _failureChance = _random.Next(5) * 25, () => null),
            < 60 => Enter(),
            _ => _underway.Count > 0 ? Report() : Enter(),
        };

        private CircuitTransition? PassTime()
        {
            _now += _random.Next(5) switch
            {
                0 => _random.Next(20_000),
                // To the very moment, and to just before it.
                1 or 2 when _model.State is CircuitState.Open => Math.Max(0, _model.OpenUntil - _now - _random.Next(2)),
                _ => _random.Next(1_000),
            };
            _log.AppendLine($"the time is {_now}");
            return null;
        }

        private CircuitTransition? Reload()
        {
            var before = _options;
            _options = RandomOptions.Next(_random);
            // What was counted otherwise, or not counted, means nothing.
            (_options.SamplingDuration, _options.SlowCallDuration) = (before.SamplingDuration, before.SlowCallDuration);
            _options.FailureDuration = before.FailureDuration is null ? null : _options.FailureDuration ?? TimeSpan.Zero;
            _policy = CircuitPolicy.From(_options, CircuitPolicies.Frequency)!;
            _log.AppendLine("reload");
            return null;
        }

        private CircuitTransition? Log(string what, Action model, Func<CircuitTransition?> circuit)
        {
            _log.AppendLine(what);
            model();
            return circuit();
        }

        private CircuitTransition? Enter()
        {
            var admission = _circuit.Enter(_policy, _now);
            int? expected = _model.Enter(_options, _now);
            _log.AppendLine($"enter, {(admission.IsAllowed ? "let through" : "rejected")}");
            if (admission.IsAllowed != expected is not null)
                Fail("the model says otherwise");
            if (admission.IsAllowed && CircuitMachine.IsProbe(admission.Ticket) != _model.State is CircuitState.HalfOpen)
                Fail("is it a probe?");
            if (admission.IsAllowed && admission.Ticket != _circuit.Period)
                Fail($"ticket {admission.Ticket} in period {_circuit.Period}");
            if (expected is { } period)
                _underway.Add((admission.Ticket, period, _now));
            return admission.Transition;
        }

        private CircuitTransition? Report()
        {
            var outcome = _random.Next(12) == 0 ? CircuitOutcome.Neutral
                : _random.Next(100) < _failureChance ? CircuitOutcome.Failure
                : CircuitOutcome.Success;
            long openAtLeast = _random.Next(20) == 0 ? _random.Next(15_000) : 0;
            int which = _random.Next(_underway.Count);
            var (ticket, period, startedAt) = _underway[which];
            _underway.RemoveAt(which);
            _log.AppendLine($"{outcome} of period {period}, begun at {startedAt}, open at least {openAtLeast}");
            _model.Report(_options, period, outcome, startedAt, openAtLeast, _now);
            return _circuit.Report(_policy, ticket, outcome, startedAt, openAtLeast, _now);
        }

        private void Fail(string what) => Assert.Fail($"seed {_seed}: {what}\n{_log}");
    }
}

/// <summary>Options of circuits with short breaks, and some of circuits without.</summary>
internal static class RandomOptions
{
    internal static CircuitBreakerOptions Next(Random random) => new()
    {
        FailureThreshold = random.Next(5) == 0 ? null : random.Next(1, 7),
        FailureDuration = random.Next(4) == 0 ? null : TimeSpan.FromMilliseconds(100 * random.Next(12)),
        FailureRatio = random.Next(1, 101) / 100.0,
        MinimumThroughput = random.Next(1, 20),
        SamplingDuration = TimeSpan.FromSeconds(random.Next(1, 31)),
        BreakDuration = TimeSpan.FromMilliseconds(100 * random.Next(1, 30)),
        MaxBreakDuration = TimeSpan.FromSeconds(random.Next(1, 11)),
        MaxWait = random.Next(5) == 0 ? null : TimeSpan.FromMilliseconds(100 * random.Next(1, 60)),
        MaxWaiting = random.Next(12),
        HalfOpenProbes = Math.Max(1, random.Next(-3, 4)),
        SuccessThreshold = Math.Max(1, random.Next(-3, 4)),
        SlowCallDuration = random.Next(3) == 0 ? TimeSpan.FromMilliseconds(100 * random.Next(1, 30)) : null,
        SlowCallRatio = random.Next(1, 101) / 100.0,
    };
}
