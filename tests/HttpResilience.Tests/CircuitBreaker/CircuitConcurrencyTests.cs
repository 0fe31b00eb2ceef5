namespace HttpResilience.Tests.CircuitBreaker;

/// <summary>Many threads at one circuit.</summary>
public sealed class CircuitConcurrencyTests
{
    private const int Threads = 50;
    private const int Rounds = 10;

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Of_50_that_ask_a_half_open_circuit_at_once_exactly_as_many_as_configured_are_let_through(int probes)
    {
        var policy = CircuitPolicies.Of(o => o.HalfOpenProbes = probes);
        for (int round = 0; round < Rounds; round++)
        {
            var tester = new CircuitTester(policy);
            tester.Break();
            tester.PassBreak();
            var admissions = new CircuitAdmission[Threads];

            AtOnce(thread => admissions[thread] = tester.Circuit.Enter(policy, tester.Now));

            admissions.Count(a => a.IsAllowed).ShouldBe(probes, $"round {round}");
            admissions.Count(a => a.Transition is not null).ShouldBe(1, $"round {round}");
        }
    }

    [Fact]
    public void Of_50_failures_at_once_one_opens_the_circuit_and_tells_it()
    {
        var policy = CircuitPolicies.Of();
        for (int round = 0; round < Rounds; round++)
        {
            var tester = new CircuitTester(policy);
            var admissions = Enumerable.Range(0, Threads).Select(_ => tester.Enter()).ToArray();
            var transitions = new CircuitTransition?[Threads];

            AtOnce(thread => transitions[thread] = tester.Report(admissions[thread], CircuitOutcome.Failure));

            transitions.OfType<CircuitTransition>().ShouldHaveSingleItem().ShouldBe(new CircuitTransition(CircuitState.Open, 30_000));
            tester.Circuit.OpenUntil.ShouldBe(tester.Now + 30_000);
        }
    }

    // The moment between a probe's look at the period and the change of it is short: two threads that run all the time meet in it, fifty
    // that are woken one after the other do not.
    [Fact]
    public void Of_two_probes_that_fail_at_once_one_opens_the_circuit_again_and_tells_it()
    {
        const int Meetings = 50_000;
        var policy = CircuitPolicies.Of(o => o.HalfOpenProbes = 2);
        var testers = Enumerable.Range(0, Meetings).Select(_ => new CircuitTester(policy)).ToArray();
        var probes = new CircuitAdmission[Meetings, 2];
        for (int meeting = 0; meeting < Meetings; meeting++)
        {
            testers[meeting].Break();
            testers[meeting].PassBreak();
            (probes[meeting, 0], probes[meeting, 1]) = (testers[meeting].Enter(), testers[meeting].Enter());
        }

        int told = 0;
        int[] at = [0, 0];
        Thread[] threads = [.. Enumerable.Range(0, 2).Select(t => new Thread(() =>
        {
            for (int meeting = 0; meeting < Meetings; meeting++)
            {
                Volatile.Write(ref at[t], meeting + 1);
                var patience = new SpinWait();
                while (Volatile.Read(ref at[1 - t]) <= meeting)
                    patience.SpinOnce();
                if (testers[meeting].Report(probes[meeting, t], CircuitOutcome.Failure) is not null)
                    Interlocked.Increment(ref told);
            }
        }))];
        foreach (var thread in threads)
            thread.Start();
        foreach (var thread in threads)
            thread.Join();

        told.ShouldBe(Meetings);
        testers.ShouldAllBe(t => t.Circuit.OpenUntil == t.Now + 60_000);
    }

    [Fact]
    public void Of_50_probes_that_come_back_well_at_once_one_closes_the_circuit_and_tells_it()
    {
        var policy = CircuitPolicies.Of(o => (o.HalfOpenProbes, o.SuccessThreshold) = (Threads, Threads));
        for (int round = 0; round < Rounds; round++)
        {
            var tester = new CircuitTester(policy);
            tester.Break();
            tester.PassBreak();
            var probes = Enumerable.Range(0, Threads).Select(_ => tester.Enter()).ToArray();
            probes.ShouldAllBe(p => p.IsAllowed);
            var transitions = new CircuitTransition?[Threads];

            AtOnce(thread => transitions[thread] = tester.Report(probes[thread], CircuitOutcome.Success));

            transitions.OfType<CircuitTransition>().ShouldHaveSingleItem().To.ShouldBe(CircuitState.Closed);
            tester.State.ShouldBe(CircuitState.Closed);
        }
    }

    private static void AtOnce(Action<int> action)
    {
        using var start = new Barrier(Threads);
        Thread[] threads = [.. Enumerable.Range(0, Threads).Select(i => new Thread(() =>
        {
            start.SignalAndWait();
            action(i);
        }))];
        foreach (var thread in threads)
            thread.Start();
        foreach (var thread in threads)
            thread.Join();
    }
}
