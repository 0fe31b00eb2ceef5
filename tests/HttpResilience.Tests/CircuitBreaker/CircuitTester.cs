namespace HttpResilience.Tests.CircuitBreaker;

/// <summary>A circuit, its policy, and a time in milliseconds that the test turns forward.</summary>
internal sealed class CircuitTester(CircuitPolicy policy)
{
    internal CircuitMachine Circuit { get; } = CircuitPolicies.NewCircuit();

    internal long Now { get; set; } = 1_000_000;

    internal CircuitState State => Circuit.State;

    internal CircuitAdmission Enter() => Circuit.Enter(policy, Now);

    internal CircuitTransition? Report(CircuitAdmission admission, CircuitOutcome outcome, long openAtLeast = 0, long took = 0) =>
        Circuit.Report(policy, admission.Ticket, outcome, Now - took, openAtLeast, Now);

    /// <summary>One attempt that must be let through.</summary>
    internal CircuitTransition? Attempt(CircuitOutcome outcome, long openAtLeast = 0, long took = 0)
    {
        var admission = Enter();
        admission.IsAllowed.ShouldBeTrue($"the circuit is {State} at {Now}");
        return Report(admission, outcome, openAtLeast, took);
    }

    internal void Attempts(int count, CircuitOutcome outcome)
    {
        for (int i = 0; i < count; i++)
            Attempt(outcome);
    }

    /// <summary>Fails until the circuit is open.</summary>
    internal void Break(long openAtLeast = 0)
    {
        while (State is not CircuitState.Open)
            Attempt(CircuitOutcome.Failure, openAtLeast);
    }

    /// <summary>Lets the break pass, to the tick at which the circuit lets a probe through.</summary>
    internal void PassBreak() => Now = Circuit.OpenUntil;
}
