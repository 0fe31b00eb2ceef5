namespace HttpResilience.Tests.Clients;

/// <summary>How long attempts may wait at a gate. A second has 1,000 ticks.</summary>
public sealed class ConcurrencyGateTests
{
    private static readonly ConcurrencyPolicy Policy = new(1, 1, 1_000);

    [Fact]
    public void A_burst_may_wait_long_although_there_was_a_queue_before_and_a_queue_that_stands_may_not()
    {
        var clock = new QueueClock(1_000);
        var gate = new ConcurrencyGate(clock);
        int number = gate.Enter(Policy, long.MaxValue).Number;
        gate.Leave(Policy, gate.Enter(Policy, long.MaxValue).Waiter!);
        // Its latency is known to be 0.1 s.
        for (int i = 0; i < 40; i++)
        {
            gate.Exit(Policy, number, 100, LoadSign.Answered);
            number = gate.Enter(Policy, long.MaxValue).Number;
        }

        clock.Advance(10_000);
        for (int i = 0; i < 20; i++)
            gate.Enter(Policy, clock.Now + 30_000).Waiter.ShouldNotBeNull($"number {i}");
        clock.Advance(1_000);

        gate.Enter(Policy, clock.Now + 30_000).IsRejected.ShouldBeTrue();
        gate.Waiting.ShouldBe(20);
    }
}
