using System.Net;

namespace HttpResilience.Tests.Http;

/// <summary>
/// Whatever a server puts into its headers, it is read without an exception and never as a wait below nothing or above the limit.
/// </summary>
public sealed class RetryAfterFuzzTests
{
    private const int Seed = 20260301;
    private const int Values = 100_000;

    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly RetryPolicy Policy = RetryPolicy.From(new RetryOptions(), TimeSpan.TicksPerSecond);
    private static readonly RetryableRequest Get = new(IsIdempotent: true, IsKeyed: false, BodyIsReplayable: true, MaxRetryAttempts: null);
    private static readonly string[] RetryAfterNames =
        ["Retry-After", "Retry-After", "retry-after-ms", "x-ms-retry-after-ms", "x-amz-retry-after"];

    private static readonly string[] RateLimitNames =
        ["RateLimit", "RateLimit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "RateLimit-Remaining", "RateLimit-Reset",
         "X-RateLimit-Remaining-Requests", "X-RateLimit-Reset-Requests"];

    [Theory, InlineData(false), InlineData(true)]
    public void A_hundred_thousand_values_neither_throw_nor_ask_for_less_than_nothing_or_wait_for_more_than_the_limit(bool rateLimit)
    {
        var random = new Random(Seed);
        int read = 0;
        int waited = 0;
        for (int i = 0; i < Values; i++)
        {
            using var response = new HttpResponseMessage(HttpStatusCode.ServiceUnavailable);
            for (int lines = random.Next(1, 3) * (rateLimit ? 3 : 1); lines > 0; lines--)
                Add(response, random, rateLimit);
            if (random.Next(2) == 0)
                response.Headers.TryAddWithoutValidation("Date", FuzzedHeader.Value(random));

            try
            {
                var result = FailureClassifier.Classify(response, keyed: false, Now);
                TimeSpan? asked = result.RetryAfter;
                asked.ShouldBe(rateLimit
                    ? RateLimitFields.Of(response.Headers, Now, isRejected: false)?.Wait
                    : RetryAfter.Of(response.Headers, Now));
                (asked ?? TimeSpan.Zero).ShouldBeGreaterThanOrEqualTo(TimeSpan.Zero);
                _ = RetryAfter.UnreadableIn(response.Headers, isRejected: true);
                var decision = RetryDecision.Decide(
                    Policy, result, Get, attempt: 1, TimeSpan.MaxValue, random.NextDouble(), previousRandom: 0);
                decision.Delay.ShouldBeInRange(TimeSpan.Zero, Policy.MaxRetryAfter);
                read += asked is null ? 0 : 1;
                waited += asked > TimeSpan.Zero && decision.IsRetry ? 1 : 0;
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {Seed}, value {i}: {FuzzedHeader.Show(response.Headers)}\n{e}");
            }
        }

        // Else the values are so wild that nothing was tested.
        read.ShouldBeGreaterThan(Values / 10, $"seed {Seed}");
        waited.ShouldBeGreaterThan(Values / 50, $"seed {Seed}");
    }
    private static void Add(HttpResponseMessage response, Random random, bool rateLimit)
    {
        string name = rateLimit ? RateLimitNames[random.Next(RateLimitNames.Length)] : RetryAfterNames[random.Next(RetryAfterNames.Length)];
        string value = !rateLimit ? FuzzedHeader.Value(random)
            : name == "RateLimit" ? FuzzedHeader.RateLimit(random)
            : name.Contains("Remaining", StringComparison.Ordinal) && random.Next(3) > 0 ? "0"
            : FuzzedHeader.Value(random);
        response.Headers.TryAddWithoutValidation(name, value);
    }
}
