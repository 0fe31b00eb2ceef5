namespace HttpResilience.Tests.Failures;

public sealed class AttemptFactsTests
{
    private static readonly AttemptResult Refused = new()
    {
        FailureClass = FailureClass.Transient,
        IsRetryable = true,
        CircuitOutcome = CircuitOutcome.Failure,
    };

    private static readonly AttemptResult Unavailable = Refused with { StatusCode = 503, IsAmbiguous = true };

    [Fact]
    public void An_attempt_that_was_sent_and_not_answered_is_as_its_failure_shows() =>
        new AttemptFacts(WasSent: true, WasAnswered: false, IsOfAnotherHost: false).ApplyTo(Unavailable).ShouldBe(Unavailable);

    [Fact]
    public void An_attempt_that_was_not_sent_is_neither_ambiguous_nor_the_fault_of_the_host() =>
        new AttemptFacts(WasSent: false, WasAnswered: false, IsOfAnotherHost: false).ApplyTo(Unavailable).ShouldBe(
            Refused with { CircuitOutcome = CircuitOutcome.Neutral });

    [Fact]
    public void An_attempt_that_was_answered_is_ambiguous_and_keeps_its_class() =>
        new AttemptFacts(WasSent: true, WasAnswered: true, IsOfAnotherHost: false).ApplyTo(Refused).ShouldBe(
            Refused with { IsAmbiguous = true });

    [Fact]
    public void The_failure_of_another_host_is_neutral() =>
        new AttemptFacts(WasSent: true, WasAnswered: true, IsOfAnotherHost: true).ApplyTo(Refused).ShouldBe(
            Refused with { IsAmbiguous = true, CircuitOutcome = CircuitOutcome.Neutral });

    [Fact]
    public void An_unsendable_header_is_permanent()
    {
        var facts = new AttemptFacts(WasSent: true, WasAnswered: false, IsOfAnotherHost: false) { IsUnsendable = true };

        facts.ApplyTo(Refused with { IsAmbiguous = true }).ShouldBe(
            new() { FailureClass = FailureClass.Permanent, CircuitOutcome = CircuitOutcome.Neutral });
        facts.ApplyTo(Refused with { FailureClass = FailureClass.Cancelled }).FailureClass.ShouldBe(FailureClass.Cancelled);
    }

    [Fact]
    public void A_success_stays_a_success() =>
        new AttemptFacts(WasSent: true, WasAnswered: true, IsOfAnotherHost: true).ApplyTo(AttemptResult.Success(200))
            .ShouldBe(AttemptResult.Success(200));
}
