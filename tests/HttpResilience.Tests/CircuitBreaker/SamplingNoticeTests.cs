using Microsoft.Extensions.Logging;

namespace HttpResilience.Tests.CircuitBreaker;

/// <summary>A window that is shorter than an attempt forgets failures before they are counted together.</summary>
public sealed class SamplingNoticeTests
{
    [Theory]
    [InlineData("00:00:29.999", "00:00:30", null, true), InlineData("00:00:30", "00:00:30", null, false)]
    [InlineData("00:00:30", null, "00:01:40", true), InlineData("00:00:30", null, "00:00:20", false)]
    [InlineData("00:00:05", "00:00:02", null, false), InlineData("00:00:05", "00:00:10", null, true)]
    public void A_sampling_duration_below_the_time_of_an_attempt_is_one_warning_at_start(
        string sampling, string? attempt, string? total, bool isTold)
    {
        using var chain = new Chain(o =>
        {
            o.CircuitBreaker.SamplingDuration = TimeSpan.Parse(sampling, null);
            o.AttemptTimeout.Timeout = attempt is null ? null : TimeSpan.Parse(attempt, null);
            o.TotalRequestTimeout.Timeout = total is null ? o.TotalRequestTimeout.Timeout : TimeSpan.Parse(total, null);
        });

        _ = chain.State;
        _ = chain.Client;

        chain.Logs.WithId(414).Select(e => e.Level).ShouldBe(isTold ? [LogLevel.Warning] : []);
    }

    [Fact]
    public void The_defaults_give_no_warning()
    {
        using var chain = new Chain();

        _ = chain.Client;

        chain.Logs.WithId(414).ShouldBeEmpty();
    }

    [Fact]
    public void Without_a_ratio_there_is_nothing_to_count()
    {
        using var chain = new Chain(
            o => (o.CircuitBreaker.FailureRatio, o.CircuitBreaker.SamplingDuration) = (null, TimeSpan.FromSeconds(1)));

        _ = chain.Client;

        chain.Logs.WithId(414).ShouldBeEmpty();
    }
}
