namespace HttpResilience.Tests.DeadLetters;

/// <summary>How many letters of a host may wait in hand. Time is in milliseconds.</summary>
public sealed class ThroughputEstimateTests
{
    [Theory]
    [InlineData(1, 256)]
    [InlineData(7, 256)]
    [InlineData(8, 250)]
    [InlineData(20, 100)]
    [InlineData(250, 8)]
    [InlineData(500, 4)]
    [InlineData(60_000, 4)]
    public void As_many_as_are_sent_in_half_a_second_and_no_fewer_than_are_sent_at_once(long each, int expected) =>
        default(ThroughputEstimate).With(each).Ahead(places: 4, frequency: 1000).ShouldBe(expected);

    [Fact]
    public void Before_the_first_answer_as_many_as_are_sent_at_once() =>
        default(ThroughputEstimate).Ahead(places: 4, frequency: 1000).ShouldBe(4);

    [Fact]
    public void More_are_never_needed_than_are_sent_at_once_of_a_host_that_is_sent_very_many() =>
        default(ThroughputEstimate).With(1).Ahead(places: 1000, frequency: 1000).ShouldBe(1000);

    [Fact]
    public void An_answer_in_no_time_is_one() => default(ThroughputEstimate).With(0).Ahead(places: 4, frequency: 10_000_000).ShouldBe(256);

    [Fact]
    public void The_last_few_answers_count()
    {
        var pace = default(ThroughputEstimate).With(1000);
        for (int i = 0; i < 12; i++)
            pace = pace.With(100);
        pace.Average.ShouldBeInRange(100, 130);

        pace.With(1000).Average.ShouldBeInRange(325, 350);
    }
}
