using System.Text;

namespace HttpResilience.Tests.CircuitBreaker;

/// <summary>Random sequences of attempts, results in any order, cancellations and steps of the clock: the circuit does what its model does.</summary>
public sealed class CircuitModelTests
{
    private const int Sequences = 10_000;
    private const int Steps = 80;

    [Fact]
    public void Ten_thousand_random_sequences_go_as_the_model_says()
    {
        var visited = new Dictionary<CircuitState, int>();
        for (int seed = 0; seed < Sequences; seed++)
            Run(seed, visited);

        // Else the sequences did not get anywhere.
        visited[CircuitState.Open].ShouldBeGreaterThan(Sequences);
        visited[CircuitState.HalfOpen].ShouldBeGreaterThan(Sequences);
        visited[CircuitState.Closed].ShouldBeGreaterThan(Sequences);
    }

    private static void Run(int seed, Dictionary<CircuitState, int> visited)
    {
        var random = new Random(seed);
        var options = Options(random);
        var policy = CircuitPolicy.From(options, CircuitPolicies.Frequency)!;
        var circuit = CircuitPolicies.NewCircuit();
        var model = new CircuitModel(options);
        var underway = new List<(int Ticket, int Period)>();
        int failureChance = random.Next(5, 95);
        long now = random.Next(1_000_000);
        var log = new StringBuilder();

        for (int step = 0; step < Steps; step++)
        {
            var before = circuit.State;
            CircuitTransition? transition = null;
            int choice = random.Next(10);
            if (choice == 0)
            {
                now += random.Next(4) == 0 ? random.Next(200_000) : random.Next(3_000);
                log.AppendLine($"{step}: the time is {now}");
            }
            else if (choice < 6 || underway.Count == 0)
            {
                var admission = circuit.Enter(policy, now);
                int? period = model.Enter(now);
                transition = admission.Transition;
                log.AppendLine($"{step}: enter, {(admission.IsAllowed ? "let through" : "rejected")}");
                if (admission.IsAllowed != period is not null)
                    Assert.Fail($"seed {seed}: the model says otherwise\n{log}");
                if (period is { } p)
                    underway.Add((admission.Ticket, p));
                else if (admission.OpenUntil != model.OpenUntil)
                    Assert.Fail($"seed {seed}: rejected until {admission.OpenUntil}, the model says {model.OpenUntil}\n{log}");
            }
            else
            {
                var outcome = random.Next(12) == 0 ? CircuitOutcome.Neutral : random.Next(100) < failureChance ? CircuitOutcome.Failure : CircuitOutcome.Success;
                long openAtLeast = random.Next(5) == 0 ? random.Next(400_000) : 0;
                int which = random.Next(underway.Count);
                var (ticket, period) = underway[which];
                underway.RemoveAt(which);
                log.AppendLine($"{step}: {outcome} of period {period}, open at least {openAtLeast}");
                transition = circuit.Report(policy, ticket, outcome, took: 0, openAtLeast, now);
                model.Report(period, outcome, openAtLeast, now);
            }

            if (circuit.State != model.State || (model.State is CircuitState.Open && circuit.OpenUntil != model.OpenUntil))
                Assert.Fail($"seed {seed}: {circuit.State} until {circuit.OpenUntil}, the model says {model.State} until {model.OpenUntil}\n{log}");
            var expected = circuit.State == before ? null
                : new CircuitTransition(before, circuit.State, circuit.State is CircuitState.Open ? circuit.OpenUntil - now : 0);
            if (transition != expected)
                Assert.Fail($"seed {seed}: told {transition}, happened {expected}\n{log}");
            visited[circuit.State] = visited.GetValueOrDefault(circuit.State) + 1;
        }
    }

    private static CircuitBreakerOptions Options(Random random) => new()
    {
        FailureThreshold = random.Next(4) == 0 ? null : random.Next(1, 7),
        FailureRatio = random.Next(1, 100) / 100.0,
        MinimumThroughput = random.Next(1, 20),
        SamplingDuration = TimeSpan.FromMilliseconds(10 * random.Next(1, 2_000)),
        BreakDuration = TimeSpan.FromMilliseconds(random.Next(1, 30_000)),
        MaxBreakDuration = TimeSpan.FromMilliseconds(random.Next(30_000, 120_000)),
        HalfOpenProbes = random.Next(1, 4),
        SuccessThreshold = random.Next(1, 4),
    };
}
