namespace HttpResilience.Tests.Operations.ErrorBudgets;

public sealed class BudgetPauseTests
{
    private const long Interval = 30;
    private static readonly DateTimeOffset Noon = new(2030, 1, 2, 12, 0, 0, TimeSpan.Zero);

    private static readonly object Probe = new(), Other = new();

    private readonly BudgetPause _pause = new(Interval);

    [Fact]
    public void A_pause_allows_one_probe_after_30_seconds_and_the_next_30_seconds_after_its_end()
    {
        Set(isPaused: true, by: null, now: 100);

        _pause.Enter(Other, 129).ShouldSatisfyAllConditions(a => a.IsAllowed.ShouldBeFalse(), a => a.NextProbeAt.ShouldBe(130),
            a => a.Pause!.At.ShouldBe(Noon));
        _pause.RejectsAt(129).ShouldBeTrue();
        _pause.RejectsAt(130).ShouldBeFalse();
        _pause.Enter(Probe, 130).IsAllowed.ShouldBeTrue();
        _pause.IsProbe(Probe).ShouldBeTrue();
        _pause.IsProbe(Other).ShouldBeFalse();
        _pause.Enter(Other, 200).ShouldSatisfyAllConditions(a => a.IsAllowed.ShouldBeFalse(), a => a.NextProbeAt.ShouldBe(230));
        _pause.RejectsAt(200).ShouldBeTrue();
        Report(Probe, OutcomeKind.Success, now: 140).ShouldBeFalse();
        _pause.Enter(Other, 169).IsAllowed.ShouldBeFalse();
        _pause.Enter(Other, 170).IsAllowed.ShouldBeTrue();
    }

    [Theory]
    [InlineData("GGG", true)]
    [InlineData("GG", false)]
    [InlineData("GGFGG", false)]
    [InlineData("GGFGGG", true)]
    [InlineData("GNGNG", true)]
    [InlineData("FFF", false)]
    public void Three_successful_probes_in_a_row_end_a_pause(string outcomes, bool resumes)
    {
        Set(isPaused: true, by: null, now: 0);
        long now = 0;
        bool resumed = false;
        foreach (char outcome in outcomes)
        {
            resumed.ShouldBeFalse();
            _pause.Enter(Probe, now += Interval);
            resumed = Report(Probe, outcome switch { 'G' => OutcomeKind.Success, 'F' => OutcomeKind.Failure, _ => OutcomeKind.Neutral },
                now);
        }

        (resumed, _pause.IsPaused).ShouldBe((resumes, !resumes));
    }

    [Fact]
    public void A_cancelled_probe_frees_its_place_at_once()
    {
        Set(isPaused: true, by: null, now: 0);
        _pause.Enter(Probe, 30);
        Report(Probe, OutcomeKind.Neutral, now: 31);

        _pause.Enter(Other, 31).IsAllowed.ShouldBeTrue();
    }

    [Fact]
    public void A_probe_of_an_earlier_pause_changes_nothing()
    {
        Set(isPaused: true, by: null, now: 0);
        object late = new();
        _pause.Enter(late, 30);
        Set(isPaused: false, "Ann", now: 31);
        Set(isPaused: true, by: null, now: 32);
        _pause.Enter(Probe, 62);

        Report(late, OutcomeKind.Success, now: 63);

        _pause.Enter(Other, 93).IsAllowed.ShouldBeFalse();
        Report(Probe, OutcomeKind.Success, now: 63);
        _pause.Enter(Other, 93).IsAllowed.ShouldBeTrue();
    }

    [Fact]
    public void A_manual_pause_is_not_ended_by_probes_and_takes_over_from_the_budget()
    {
        Set(isPaused: true, by: null, now: 0).ShouldBeTrue();
        Set(isPaused: true, "Ann", now: 10).ShouldBeTrue();
        Set(isPaused: true, "Bob", now: 20).ShouldBeFalse();
        Set(isPaused: true, by: null, now: 20).ShouldBeFalse();

        _pause.Change!.By.ShouldBe("Ann");
        _pause.Enter(Other, 1_000_000).IsAllowed.ShouldBeFalse();
        Set(isPaused: false, "Bob", now: 30).ShouldBeTrue();
        _pause.Enter(Other, 31).ShouldBe(PauseAdmission.NotPaused);
    }

    [Fact]
    public void A_probe_in_flight_when_a_manual_pause_begins_does_not_end_it()
    {
        _pause.TrySet(new("api", true, null, Noon), 0);
        for (int i = 1; i <= 3; i++)
        {
            _pause.Enter(Probe, 30 * i);
            if (i < 3)
                _pause.Report(Probe, OutcomeKind.Success, "api", 30 * i, Noon).ShouldBeFalse();
        }

        _pause.TryAdopt(new("api", true, "Ann", Noon.AddSeconds(1)), 91).ShouldBeFalse();

        _pause.Report(Probe, OutcomeKind.Success, "api", 92, Noon.AddSeconds(2)).ShouldBeFalse();
        _pause.IsPaused.ShouldBeTrue();
        _pause.RejectsAt(1000).ShouldBeTrue();
    }

    [Theory, InlineData(true), InlineData(false)]
    public void A_change_takes_precedence_although_the_clock_was_ahead_before(bool byProbes)
    {
        var ahead = Noon.AddHours(3);
        _pause.TryAdopt(new("api", true, null, ahead), 0);
        if (byProbes)
        {
            for (int i = 1; i <= 3; i++)
            {
                _pause.Enter(Probe, 30 * i);
                _pause.Report(Probe, OutcomeKind.Success, "api", 30 * i, Noon);
            }
        }
        else
        {
            _pause.TrySet(new("api", false, "Bob", Noon), 0).ShouldBeTrue();
        }

        _pause.IsPaused.ShouldBeFalse();
        _pause.Change!.At.ShouldBeGreaterThan(ahead);
        _pause.TryAdopt(new("api", true, null, ahead), 100).ShouldBeFalse();
        _pause.IsPaused.ShouldBeFalse();
    }

    [Fact]
    public void The_latest_change_of_any_process_takes_precedence()
    {
        _pause.TryAdopt(new("api", true, "Ann", Noon), 0).ShouldBeTrue();
        _pause.TryAdopt(new("api", false, "Bob", Noon), 0).ShouldBeFalse();
        _pause.TryAdopt(new("api", false, "Bob", Noon.AddSeconds(-1)), 0).ShouldBeFalse();
        _pause.IsPaused.ShouldBeTrue();
        _pause.TryAdopt(new("api", true, null, Noon.AddSeconds(1)), 0).ShouldBeFalse();
        // A budget does not take over a manual pause: the manual change is made the latest.
        (_pause.Change!.By, _pause.Change.At > Noon.AddSeconds(1)).ShouldBe(("Ann", true));
        _pause.TryAdopt(new("api", false, null, Noon.AddSeconds(1.5)), 0).ShouldBeFalse();
        _pause.IsPaused.ShouldBeTrue();
        _pause.TryAdopt(new("api", false, "Bob", Noon.AddSeconds(2)), 0).ShouldBeTrue();
        _pause.IsPaused.ShouldBeFalse();
    }

    [Fact]
    public void One_of_many_concurrent_calls_is_the_probe()
    {
        Set(isPaused: true, by: null, now: 0);
        int allowed = 0;

        Parallel.For(0, 1000, _ => Interlocked.Add(ref allowed, _pause.Enter(new object(), 30).IsAllowed ? 1 : 0));

        allowed.ShouldBe(1);
    }

    private bool Set(bool isPaused, string? by, long now) => _pause.TrySet(new("api", isPaused, by, Noon), now);

    private bool Report(object probe, OutcomeKind outcome, long now) => _pause.Report(probe, outcome, "api", now, Noon.AddSeconds(now));
}
