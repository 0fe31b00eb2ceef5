namespace HttpResilience.Tests.Operations.ErrorBudgets;

/// <summary>Computed by hand from the objective: of 100 000 calls at 99.9 %, 100 may fail.</summary>
public sealed class BurnRatesTests
{
    private static readonly ErrorBudgetPolicy Policy = ErrorBudgetPolicy.From(new());

    [Theory]
    [InlineData(0, 0, 0.999, 0)]
    [InlineData(100_000, 0, 0.999, 0)]
    [InlineData(100_000, 100, 0.999, 1)]
    [InlineData(100_000, 1440, 0.999, 14.4)]
    [InlineData(100_000, 600, 0.999, 6)]
    [InlineData(100_000, 100_000, 0.999, 1000)]
    [InlineData(1000, 10, 0.99, 1)]
    [InlineData(1000, 25, 0.95, 0.5)]
    [InlineData(10, 10, 0.5, 2)]
    [InlineData(1_000_000, 25, 0.99999, 2.5)]
    public void A_burn_rate_is_the_ratio_of_failures_over_what_the_objective_allows(long calls, long failures, double objective,
        double rate) =>
        BurnRates.Of(new(calls, failures), ErrorBudgetPolicy.From(new() { Objective = objective }).Allowed).ShouldBe(rate, tolerance: 1e-9);

    [Theory]
    [InlineData(0, 3600, 300, 14.4)]
    [InlineData(1, 21600, 1800, 6)]
    [InlineData(2, 259200, 21600, 1)]
    public void The_pairs_of_windows_are_those_of_the_workbook(int pair, int longSeconds, int shortSeconds, double rate) =>
        BurnRates.Pairs[pair].ShouldBe(new(TimeSpan.FromSeconds(longSeconds), TimeSpan.FromSeconds(shortSeconds), rate));

    [Theory]
    [InlineData(0, 1441, 145, true)]
    [InlineData(0, 1440, 145, false)]
    [InlineData(0, 1441, 144, false)]
    [InlineData(0, 1441, 0, false)]
    [InlineData(0, 0, 145, false)]
    [InlineData(1, 601, 61, true)]
    [InlineData(1, 600, 61, false)]
    [InlineData(1, 601, 60, false)]
    [InlineData(2, 101, 11, true)]
    [InlineData(2, 100, 11, false)]
    [InlineData(2, 101, 10, false)]
    public void A_budget_burns_too_fast_only_when_it_does_in_both_windows(int pair, long failuresInLong, long failuresInShort, bool burns)
    {
        // Of 100 000 calls in the long window 100 may fail, of 10 000 in the short one 10.
        var inShort = new BudgetCount(10_000, failuresInShort);

        BurnRates.IsBurning(BurnRates.Pairs[pair], new(100_000, failuresInLong), inShort, Policy.Allowed).ShouldBe(burns);
    }

    [Theory, InlineData(4, false), InlineData(5, true)]
    public void Little_traffic_burns_no_budget_before_the_fifth_failure(long failures, bool burns) =>
        BurnRates.IsBurning(BurnRates.Pairs[0], new(10, failures), new(10, failures), Policy.Allowed).ShouldBe(burns);

    [Theory]
    [InlineData(10, 4, ErrorBudgetState.Quiet)]
    [InlineData(10, 5, ErrorBudgetState.Exceeded)]
    [InlineData(5000, 5, ErrorBudgetState.Quiet)]
    [InlineData(5999, 6, ErrorBudgetState.Heightened)]
    [InlineData(3000, 6, ErrorBudgetState.Heightened)]
    [InlineData(2999, 6, ErrorBudgetState.Exceeded)]
    public void A_budget_is_heightened_above_100_percent_and_exceeded_above_200(long calls, long failures, ErrorBudgetState state) =>
        BurnRates.StateOf(new(calls, failures), Policy.Allowed).ShouldBe(state);

    [Theory]
    [InlineData(null, 10, 10, false)]
    [InlineData(2.0, 3000, 6, false)]
    [InlineData(2.0, 2999, 6, true)]
    [InlineData(2.0, 4, 4, false)]
    [InlineData(1000.0, 10, 10, false)]
    [InlineData(999.0, 10, 10, true)]
    public void The_integration_is_paused_when_the_used_budget_exceeds_the_limit(double? limit, long calls, long failures, bool pauses) =>
        BurnRates.IsPause(new(calls, failures), Policy with { PauseAtBurn = limit }).ShouldBe(pauses);
}
