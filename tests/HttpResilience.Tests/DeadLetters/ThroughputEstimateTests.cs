namespace HttpResilience.Tests.DeadLetters;

/// <summary>The number of letters of a host that may be claimed ahead. Time is in milliseconds.</summary>
public sealed class ThroughputEstimateTests
{
    [Theory]
    [InlineData(1, 512)]
    [InlineData(7, 285)]
    [InlineData(8, 250)]
    [InlineData(20, 100)]
    [InlineData(250, 8)]
    [InlineData(500, 4)]
    [InlineData(60_000, 4)]
    public void The_estimate_is_what_is_sent_in_half_a_second_and_at_least_what_is_sent_at_once(long each, int expected) =>
        default(ThroughputEstimate).With(each).Ahead(places: 4, frequency: 1000).ShouldBe(expected);

    [Fact]
    public void The_estimate_before_the_first_response_is_what_is_sent_at_once() =>
        default(ThroughputEstimate).Ahead(places: 4, frequency: 1000).ShouldBe(4);

    [Fact]
    public void The_estimate_of_a_host_with_very_many_places_is_what_is_sent_at_once() =>
        default(ThroughputEstimate).With(1).Ahead(places: 1000, frequency: 1000).ShouldBe(1000);

    [Fact]
    public void A_response_in_no_time_is_a_valid_sample() =>
        default(ThroughputEstimate).With(0).Ahead(places: 4, frequency: 10_000_000).ShouldBe(512);

    [Fact]
    public void The_estimate_follows_the_last_few_responses()
    {
        var pace = default(ThroughputEstimate).With(1000);
        for (int i = 0; i < 12; i++)
            pace = pace.With(100);
        pace.Average.ShouldBeInRange(100, 130);

        pace.With(1000).Average.ShouldBeInRange(325, 350);
    }
}
