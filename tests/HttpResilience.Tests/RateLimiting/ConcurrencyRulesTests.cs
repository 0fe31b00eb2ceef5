namespace HttpResilience.Tests.RateLimiting;

/// <summary>What a response says about the load of its host, and which attempt may wait. A second has 1,000 ticks.</summary>
public sealed class ConcurrencyRulesTests
{
    private static readonly ConcurrencyPolicy Policy = new(1, 200, 1_000);

    [Theory]
    [InlineData(200, "Answered")]
    [InlineData(304, "Answered")]
    [InlineData(404, "Answered")]
    [InlineData(409, "Answered")]
    [InlineData(499, "Answered")]
    [InlineData(429, "Overloaded")]
    [InlineData(503, "Overloaded")]
    [InlineData(504, "Overloaded")]
    [InlineData(500, "None")]
    [InlineData(502, "None")]
    [InlineData(599, "None")]
    public void A_status_says(int status, string sign) => ConcurrencyRules.SignOf(status).ToString().ShouldBe(sign);

    [Theory]
    [InlineData("Failure", "Overloaded")]
    [InlineData("Neutral", "None")]
    [InlineData("Success", "None")]
    public void An_attempt_without_a_response_says_what_it_says_to_the_circuit(string outcome, string sign) =>
        ConcurrencyRules.SignOf(new AttemptResult { CircuitOutcome = Enum.Parse<CircuitOutcome>(outcome) }).ToString().ShouldBe(sign);

    [Theory]
    // In a burst: half of the time that is left.
    [InlineData(0, 10, 30, 0, 30_000, true)]
    [InlineData(4_998, 10, 30, 0, 30_000, true)]
    [InlineData(4_999, 10, 30, 0, 30_000, true)]
    [InlineData(5_000, 10, 30, 0, 30_000, false)]
    [InlineData(4_999, 10, 30, 999, 30_000, true)]
    // A queue that stands: a second.
    [InlineData(332, 10, 30, 1_000, 30_000, true)]
    [InlineData(333, 10, 30, 1_000, 30_000, false)]
    // Or ten latencies.
    [InlineData(99, 10, 500, 5_000, 30_000, true)]
    [InlineData(100, 10, 500, 5_000, 30_000, false)]
    // Never more than half of its time.
    [InlineData(9, 10, 500, 5_000, 1_000, true)]
    [InlineData(10, 10, 500, 5_000, 1_000, false)]
    // Its time is over.
    [InlineData(0, 10, 0, 0, 2, true)]
    [InlineData(0, 10, 0, 0, 1, false)]
    [InlineData(0, 10, 0, 0, 0, false)]
    [InlineData(0, 10, 0, 0, -5_000, false)]
    // The latency is unknown, and the attempt has no end.
    [InlineData(9_999, 1, 0, 5_000, long.MaxValue, true)]
    [InlineData(10_000, 1, 0, 0, long.MaxValue, false)]
    // The clock was set back.
    [InlineData(100, 10, 30, -5_000, 30_000, true)]
    public void It_may_wait(int waiting, int limit, double latency, long waitingFor, long left, bool expected) =>
        ConcurrencyRules.MayWait(Policy, waiting, limit, latency, waitingFor, left).ShouldBe(expected);

    [Fact]
    public void The_policy_has_a_minimum_that_is_not_above_its_maximum_and_a_second()
    {
        ConcurrencyPolicy.From(new() { Mode = ConcurrencyMode.Adaptive, MinLimit = 9, MaxLimit = 4 }, 1_000).ShouldBe(new(4, 4, 1_000));
        ConcurrencyPolicy.From(new() { Mode = ConcurrencyMode.Adaptive }, 7).ShouldBe(new(1, 200, 7));
        ConcurrencyPolicy.From(new(), 1_000).ShouldBeNull();
    }
}
