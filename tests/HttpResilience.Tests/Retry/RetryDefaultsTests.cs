namespace HttpResilience.Tests.Retry;

/// <summary>The built-in defaults, as the documentation of <c>appsettings.json</c> states them.</summary>
public sealed class RetryDefaultsTests
{
    private static readonly RetryOptions Options = new();

    [Fact]
    public void The_options_start_with_the_documented_defaults()
    {
        Options.MaxRetryAttempts.ShouldBe(3);
        Options.BackoffType.ShouldBe(BackoffType.Exponential);
        Options.Delay.ShouldBe(TimeSpan.FromSeconds(1));
        Options.MaxDelay.ShouldBe(TimeSpan.FromMinutes(1));
        Options.BackoffFactor.ShouldBe(2);
        Options.UseJitter.ShouldBeTrue();
        Options.Jitter.Mode.ShouldBeNull();
        Options.Jitter.Factor.ShouldBe(0.25);
        Options.Jitter.Maximum.ShouldBe(TimeSpan.FromMilliseconds(199));
        Options.ShouldRetryAfterHeader.ShouldBeTrue();
        Options.MaxRetryAfter.ShouldBe(TimeSpan.FromMinutes(5));
        Options.UnsafeMethods.ShouldBe(UnsafeMethods.WhenKeyed);
        Options.MaxReplayBodyBytes.ShouldBe(1_048_576);
        Options.IncludeResponseBody.ShouldBeFalse();
        Options.Statuses.ShouldBeEmpty();
        new RetryStatusOptions().MaxRetryAttempts.ShouldBeNull();
        new RetryStatusOptions().Delay.ShouldBeNull();
        new RetryStatusOptions().DelayMultiplier.ShouldBe(1);
    }

    [Fact]
    public void A_call_has_100_seconds_and_an_attempt_30()
    {
        new HttpResilienceOptions().TotalRequestTimeout.Timeout.ShouldBe(TimeSpan.FromSeconds(100));
        new HttpResilienceOptions().AttemptTimeout.Timeout.ShouldBe(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public void The_policy_takes_every_option_over()
    {
        var options = new RetryOptions
        {
            MaxRetryAttempts = 7,
            BackoffType = BackoffType.Linear,
            Delay = TimeSpan.FromSeconds(8),
            MaxDelay = null,
            BackoffFactor = 9,
            ShouldRetryAfterHeader = false,
            MaxRetryAfter = TimeSpan.FromSeconds(10),
            UnsafeMethods = UnsafeMethods.Never,
            MaxReplayBodyBytes = 11,
            IncludeResponseBody = true,
            Jitter = { Mode = JitterMode.Full, Factor = 0.12, Maximum = TimeSpan.FromSeconds(13) },
            Statuses = { [404] = new() { MaxRetryAttempts = 14, Delay = TimeSpan.FromSeconds(15), DelayMultiplier = 2 } },
        };

        var policy = RetryPolicy.From(options, TimeSpan.TicksPerSecond);

        policy.MaxRetryAttempts.ShouldBe(7);
        policy.ShouldRetryAfterHeader.ShouldBeFalse();
        policy.MaxRetryAfter.ShouldBe(TimeSpan.FromSeconds(10));
        policy.UnsafeMethods.ShouldBe(UnsafeMethods.Never);
        policy.MaxReplayBodyBytes.ShouldBe(11);
        policy.IncludeResponseBody.ShouldBeTrue();
        var backoff = new BackoffPolicy
        {
            Type = BackoffType.Linear,
            Delay = TimeSpan.FromSeconds(8),
            MaxDelay = null,
            Factor = 9,
            Jitter = JitterMode.Full,
            JitterFactor = 0.12,
            JitterMaximum = TimeSpan.FromSeconds(13),
        };
        policy.Backoff.ShouldBe(backoff);
        policy.Statuses.ShouldHaveSingleItem().Key.ShouldBe(404);
        policy.Statuses[404].ShouldBe(new RetryStatusPolicy(14, backoff with { Delay = TimeSpan.FromSeconds(30) }, null));
    }

    [Fact]
    public void A_policy_does_not_follow_options_that_change_after_it()
    {
        var options = new RetryOptions { Statuses = { [404] = new() { MaxRetryAttempts = 1 } } };
        var policy = RetryPolicy.From(options, TimeSpan.TicksPerSecond);

        options.Statuses[404].MaxRetryAttempts = 9;
        options.Statuses.Clear();
        options.MaxRetryAttempts = 9;

        policy.MaxRetryAttempts.ShouldBe(3);
        policy.Statuses[404].MaxRetryAttempts.ShouldBe(1);
    }
}
