using System.Text;

namespace HttpResilience.Tests.CircuitBreaker;

/// <summary>
/// Random sequences of attempts, results in any order and also late, fast and slow, cancellations, operators and steps of the
/// clock: the circuit does what its model does.
/// </summary>
public sealed class CircuitModelTests
{
    private const int Sequences = 10_000;
    private const int Steps = 80;

    [Fact]
    public void Ten_thousand_random_sequences_go_as_the_model_says()
    {
        var visited = new Dictionary<CircuitState, int>();
        for (int seed = 0; seed < Sequences; seed++)
            new Sequence(seed).Run(visited);

        // Else the sequences did not get anywhere.
        foreach (var state in Enum.GetValues<CircuitState>())
            visited[state].ShouldBeGreaterThan(Sequences, state.ToString());
    }

    private sealed class Sequence
    {
        private readonly int _seed;
        private readonly Random _random;
        private readonly CircuitBreakerOptions _options;
        private readonly CircuitPolicy _policy;
        private readonly CircuitMachine _circuit = CircuitPolicies.NewCircuit();
        private readonly CircuitModel _model;
        private readonly List<(int Ticket, int Period)> _underway = [];
        private readonly StringBuilder _log = new();
        private readonly int _failureChance;
        private readonly int _slowChance;
        private long _now;

        internal Sequence(int seed)
        {
            _seed = seed;
            _random = new(seed);
            _options = NewOptions(_random);
            _policy = CircuitPolicy.From(_options, CircuitPolicies.Frequency)!;
            _model = new(_options);
            _failureChance = _random.Next(5, 95);
            _slowChance = _random.Next(60);
            _now = _random.Next(1_000_000);
        }

        internal void Run(Dictionary<CircuitState, int> visited)
        {
            for (int step = 0; step < Steps; step++)
            {
                var before = _circuit.State;
                var transition = Step();
                if (_circuit.State != _model.State || (_model.State is CircuitState.Open && _circuit.OpenUntil != _model.OpenUntil))
                    Fail($"{_circuit.State} until {_circuit.OpenUntil}, the model says {_model.State} until {_model.OpenUntil}");
                var expected = _circuit.State == before ? null
                    : new CircuitTransition(_circuit.State, _circuit.State is CircuitState.Open ? _circuit.OpenUntil - _now : 0);
                if (transition != expected)
                    Fail($"told {transition}, happened {expected}");
                visited[_circuit.State] = visited.GetValueOrDefault(_circuit.State) + 1;
            }
        }

        private CircuitTransition? Step() => _random.Next(100) switch
        {
            < 10 => PassTime(),
            < 12 => Isolate(),
            < 16 => Close(),
            < 60 => Enter(),
            _ => _underway.Count > 0 ? Report() : Enter(),
        };

        private CircuitTransition? PassTime()
        {
            _now += _random.Next(4) switch
            {
                0 => _random.Next(200_000),
                // To the very moment, and to just before it.
                1 => Math.Max(0, _model.OpenUntil - _now - _random.Next(2)),
                _ => _random.Next(3_000),
            };
            _log.AppendLine($"the time is {_now}");
            return null;
        }

        private CircuitTransition? Isolate()
        {
            _log.AppendLine("isolate");
            _model.Isolate();
            return _circuit.Isolate(0);
        }

        private CircuitTransition? Close()
        {
            _log.AppendLine("close");
            _model.Close();
            return _circuit.Close(_now);
        }

        private CircuitTransition? Enter()
        {
            var admission = _circuit.Enter(_policy, _now);
            int? expected = _model.Enter(_now);
            _log.AppendLine($"enter, {(admission.IsAllowed ? "let through" : "rejected")}");
            if (admission.IsAllowed != expected is not null)
                Fail("the model says otherwise");
            if (admission.IsAllowed && CircuitMachine.IsProbe(admission.Ticket) != _model.State is CircuitState.HalfOpen)
                Fail("is it a probe?");
            if (expected is { } period)
                _underway.Add((admission.Ticket, period));
            else if (_model.State is not CircuitState.Isolated && admission.OpenUntil != _model.OpenUntil)
                Fail($"rejected until {admission.OpenUntil}, the model says {_model.OpenUntil}");
            return admission.Transition;
        }

        private CircuitTransition? Report()
        {
            var outcome = _random.Next(12) == 0 ? CircuitOutcome.Neutral
                : _random.Next(100) < _failureChance ? CircuitOutcome.Failure
                : CircuitOutcome.Success;
            // Around the limit more often than not.
            long slow = (long)(_options.SlowCallDuration ?? TimeSpan.FromSeconds(1)).TotalMilliseconds;
            long took = _random.Next(100) < _slowChance ? slow + _random.Next(2) * _random.Next(5_000) : _random.Next(2) * (slow - 1);
            long openAtLeast = _random.Next(5) == 0 ? _random.Next(400_000) : 0;
            int which = _random.Next(_underway.Count);
            var (ticket, period) = _underway[which];
            _underway.RemoveAt(which);
            _log.AppendLine($"{outcome} of period {period} after {took}, open at least {openAtLeast}");
            _model.Report(period, outcome, took, openAtLeast, _now);
            return _circuit.Report(_policy, ticket, outcome, _now - took, openAtLeast, _now);
        }

        private void Fail(string what) => Assert.Fail($"seed {_seed}: {what}\n{_log}");

        private static CircuitBreakerOptions NewOptions(Random random)
        {
            double? ratio = random.Next(5) == 0 ? null : random.Next(1, 100) / 100.0;
            return new()
            {
                FailureThreshold = random.Next(4) == 0 ? null : random.Next(1, 7),
                FailureRatio = ratio,
                MinimumThroughput = random.Next(1, 20),
                SamplingDuration = TimeSpan.FromMilliseconds(10 * random.Next(1, 2_000)),
                FailureDuration = null,
                MaxWait = null,
                BreakDuration = TimeSpan.FromMilliseconds(random.Next(1, 30_000)),
                MaxBreakDuration = TimeSpan.FromMilliseconds(random.Next(30_000, 120_000)),
                HalfOpenProbes = random.Next(1, 4),
                SuccessThreshold = random.Next(1, 4),
                // Never all three off: then there is no circuit.
                SlowCallDuration = random.Next(3) == 0 && ratio is not null ? null : TimeSpan.FromMilliseconds(random.Next(1, 3_000)),
                SlowCallRatio = random.Next(1, 101) / 100.0,
            };
        }
    }
}
