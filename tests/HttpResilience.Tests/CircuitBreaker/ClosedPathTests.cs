using System.Diagnostics;
using System.Globalization;

namespace HttpResilience.Tests.CircuitBreaker;

/// <summary>What an attempt at a closed circuit costs, with short breaks and with the classic circuit. Its time is printed.</summary>
public sealed class ClosedPathTests
{
    private const int Attempts = 200_000;
    private const int Rounds = 15;

    [Fact]
    public void An_attempt_at_a_closed_circuit_allocates_nothing()
    {
        long frequency = TimeProvider.System.TimestampFrequency;
        var classic = new CircuitBreakerOptions().UseClassic();
        (string Name, CircuitPolicy Policy)[] circuits =
            [("classic", CircuitPolicy.From(classic, frequency)!), ("short breaks", CircuitPolicy.From(new(), frequency)!)];
        var fastest = circuits.ToDictionary(c => c.Name, _ => double.MaxValue);
        long bytes = 0;
        // In turns, so that a busy machine slows both.
        for (int round = 0; round < Rounds; round++)
        {
            foreach (var (name, policy) in circuits)
            {
                long before = GC.GetAllocatedBytesForCurrentThread();
                fastest[name] = Math.Min(fastest[name], Run(new HostState(default), policy));
                if (round > 0)
                    bytes += GC.GetAllocatedBytesForCurrentThread() - before;
            }
        }

        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(", ", fastest.Select(f => string.Create(
            CultureInfo.InvariantCulture, $"{f.Key} {f.Value:0.0} ns for each attempt"))));
        // The state of the host itself.
        bytes.ShouldBeLessThan(1_000 * Rounds * circuits.Length);
    }

    private static double Run(HostState host, CircuitPolicy policy)
    {
        long startedAt = Stopwatch.GetTimestamp();
        for (int i = 0; i < Attempts; i++)
        {
            // A timestamp for each attempt, as in a call, but without the time to read the clock.
            long now = startedAt + i * 100L;
            int ticket = policy.MaxWait is null ? host.Circuit.Enter(policy, now).Ticket : host.TicketAtOnce;
            host.Circuit.Report(policy, ticket, CircuitOutcome.Success, now, 0, now);
        }

        return Stopwatch.GetElapsedTime(startedAt).TotalNanoseconds / Attempts;
    }
}
