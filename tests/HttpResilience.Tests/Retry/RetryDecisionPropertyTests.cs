namespace HttpResilience.Tests.Retry;

/// <summary>What holds for every decision, whatever goes in.</summary>
public sealed class RetryDecisionPropertyTests
{
    private const int Seed = 42;

    [Fact]
    public void A_wait_is_never_shorter_than_asked_and_always_ends_before_the_deadline()
    {
        var random = new Random(Seed);
        int retried = 0;
        for (int i = 0; i < 100_000; i++)
        {
            var decision = Arbitrary(random);
            var taken = decision.Take();

            string what = $"seed {Seed}, case {i}: {taken.StopReason}, wait {taken.Delay}, asked {decision.Result.RetryAfter}, "
                + $"remaining {decision.Remaining}";
            if (!taken.IsRetry)
            {
                taken.Delay.ShouldBe(TimeSpan.Zero, what);
                continue;
            }

            retried++;
            taken.Delay.ShouldBeGreaterThanOrEqualTo(TimeSpan.Zero, what);
            taken.Delay.ShouldBeLessThan(decision.Remaining, what);
            decision.Attempt.ShouldBeLessThanOrEqualTo(decision.MaxRetryAttempts ?? decision.Options.MaxRetryAttempts, what);
            (decision.IsIdempotent || !decision.Result.IsAmbiguous || decision.Options.UnsafeMethods is UnsafeMethods.Always
                || (decision.IsKeyed && decision.Options.UnsafeMethods is UnsafeMethods.WhenKeyed)).ShouldBeTrue(what);
            if (!decision.Options.ShouldRetryAfterHeader || decision.Result.RetryAfter is not { } asked || asked == TimeSpan.Zero)
                continue;
            taken.Delay.ShouldBeInRange(asked, decision.Options.MaxRetryAfter, what);
        }

        // Else nothing was tested.
        retried.ShouldBeGreaterThan(10_000, $"seed {Seed}");
    }

    private static Decision Arbitrary(Random random)
    {
        var options = new RetryOptions
        {
            MaxRetryAttempts = random.Next(6),
            BackoffType = (BackoffType)random.Next(3),
            Delay = TimeSpan.FromSeconds(random.Next(4) * random.NextDouble()),
            MaxDelay = random.Next(4) == 0 ? null : TimeSpan.FromSeconds(random.Next(90)),
            BackoffFactor = 1 + random.Next(3) * random.NextDouble(),
            UseJitter = random.Next(4) != 0,
            ShouldRetryAfterHeader = random.Next(5) != 0,
            MaxRetryAfter = TimeSpan.FromSeconds(random.Next(100)),
            UnsafeMethods = (UnsafeMethods)random.Next(3),
        };
        options.Jitter.Mode = random.Next(6) is var mode and < 5 ? (JitterMode)mode : null;
        int[] statuses = [404, 409, 429, 500, 502, 503, 503];
        return new()
        {
            Result = FailureClassifier.Of(statuses[random.Next(statuses.Length)], hasRetryAfter: random.Next(2) == 0, keyed: true) with
            {
                RetryAfter = random.Next(3) == 0 ? null : TimeSpan.FromSeconds(random.Next(3) * random.Next(40) * random.NextDouble()),
                SaidRetry = random.Next(10) switch { 0 => true, 1 => false, _ => null },
            },
            Options = options,
            IsIdempotent = random.Next(2) == 0,
            IsKeyed = random.Next(2) == 0,
            BodyIsReplayable = random.Next(5) != 0,
            MaxRetryAttempts = random.Next(4) == 0 ? random.Next(6) : null,
            Attempt = random.Next(1, 7),
            Remaining = random.Next(10) == 0 ? TimeSpan.MaxValue : TimeSpan.FromSeconds(random.Next(-5, 100) * random.NextDouble()),
            Random = random.NextDouble(),
        };
    }
}
