using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience.Tests.Operations.ErrorBudgets;

public sealed class PendingCountsTests
{
    // A multiple of 300.
    private const long Start = 1_893_585_600;

    private readonly PendingCounts _unsaved = new();
    private readonly long[] _totals = new long[CallCounter.Classes.Length];

    [Fact]
    public void Counts_belong_to_the_5_minutes_of_their_call_and_are_taken_once()
    {
        _unsaved.MoveTo(Start);
        Count(FailureClass.None, 3);
        _unsaved.MoveTo(Start + 299);
        Count(FailureClass.None, 1);
        Count(FailureClass.Transient, 2);
        _unsaved.MoveTo(Start + 300);
        Count(FailureClass.None, 5);

        _unsaved.Take("api", "1.0").ShouldBe(
            [Counted(0, FailureClass.None, 4), Counted(0, FailureClass.Transient, 2), Counted(300, FailureClass.None, 5)]);
        _unsaved.Take("api", "1.0").ShouldBeEmpty();
        Count(FailureClass.None, 7);
        _unsaved.Take("api", "1.0").ShouldBe([Counted(300, FailureClass.None, 7)]);
    }

    [Fact]
    public void The_oldest_counts_are_merged_without_loss_when_not_taken_for_a_day()
    {
        for (int period = 0; period < 300; period++)
        {
            _unsaved.MoveTo(Start + (period * 300));
            Count(FailureClass.None, 1);
        }

        var counts = _unsaved.Take("api", "1.0");

        counts.Count.ShouldBe(288);
        counts[0].ShouldBe(Counted(12 * 300, FailureClass.None, 13));
        counts.Sum(c => c.Calls).ShouldBe(300);
    }

    [Fact]
    public void An_ending_minute_belongs_to_its_own_5_minutes()
    {
        using var chain = new Chain(services: s => s.AddHttpResilienceOperations()
            .AddSingleton<IErrorBudgetStore>(new InMemoryStorage().ErrorBudgets));
        var budget = chain.Budget;
        budget.Count(FailureClass.None, isFailure: false, chain.Clock.GetTimestamp());
        chain.Clock.Advance(TimeSpan.FromMinutes(5));
        budget.Count(FailureClass.None, isFailure: false, chain.Clock.GetTimestamp());

        budget.TakeUnsaved("1.0").Select(c => c.Period.ToUnixTimeSeconds() * 1.0).ShouldBe([Period(0), Period(300)]);

        double Period(long after) => Math.Floor((chain.Clock.Start.ToUnixTimeSeconds() + after) / 300.0) * 300;
    }

    [Theory, InlineData(59, 1), InlineData(60, 0)]
    public void Counts_as_old_as_the_ring_do_not_reappear_as_new(int minutes, long calls)
    {
        var ring = new BucketRing(60, 60);
        ring.MoveTo(Start);
        ring.Add(Start - (minutes * 60), new(1, 0));

        ring.Sum(3600).Calls.ShouldBe(calls);
    }

    private void Count(FailureClass failureClass, long calls)
    {
        _totals[(int)failureClass] += calls;
        _unsaved.Add(_totals);
    }

    private static ErrorBudgetCount Counted(long after, FailureClass failureClass, long calls) =>
        new("api", "1.0", DateTimeOffset.FromUnixTimeSeconds(Start + after), failureClass, calls);
}
