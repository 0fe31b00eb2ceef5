using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;

namespace HttpResilience.Tests.RateLimiting;

/// <summary>Which limits are on, and what they must be given.</summary>
public sealed class RateLimiterOptionsTests
{
    private const string Bucket = "RateLimiter:TokenBucket";

    [Fact]
    public void Nothing_is_limited_by_default()
    {
        PolicyOf().ShouldBeNull();
        RateLimiterPolicy.From(new()).ShouldBeNull();
        using var chain = new Chain();
        Chain.BuildHandlers(chain.Services).AdditionalHandlers.ShouldNotContain(h => h is RateLimitingHandler);
    }

    [Fact]
    public void A_bucket_alone_limits_nothing_else()
    {
        var policy = PolicyOf(($"{Bucket}:TokenLimit", "10"), ($"{Bucket}:TokensPerPeriod", "5")).ShouldNotBeNull();

        policy.Concurrency.ShouldBeNull();
        policy.TokenBucket.ShouldBe(new(10, 5, TimeSpan.FromSeconds(1), 0, QueueProcessingOrder.OldestFirst));
    }

    [Fact]
    public void A_limit_of_concurrent_attempts_alone_limits_nothing_else() =>
        PolicyOf(("RateLimiter:DefaultRateLimiterOptions:QueueLimit", "7")).ShouldBe(
            new(new(1000, 7, QueueProcessingOrder.OldestFirst), null));

    [Fact]
    public void Every_key_of_the_bucket_is_read() =>
        PolicyOf(
            ($"{Bucket}:TokenLimit", "10"), ($"{Bucket}:TokensPerPeriod", "5"), ($"{Bucket}:ReplenishmentPeriod", "00:01:00"),
            ($"{Bucket}:QueueLimit", "3"),
            ($"{Bucket}:QueueProcessingOrder", "NewestFirst"))!.TokenBucket
            .ShouldBe(new(10, 5, TimeSpan.FromMinutes(1), 3, QueueProcessingOrder.NewestFirst));

    [Fact]
    public void A_bucket_without_numbers_is_refused_with_their_names() =>
        Problems(($"{Bucket}:QueueLimit", "1")).ShouldBe(
        [
            $"HttpResilience:Clients:api:{Bucket}:TokenLimit is '0'; it must be an integer of 1 or more.",
            $"HttpResilience:Clients:api:{Bucket}:TokensPerPeriod is '0'; it must be an integer of 1 or more.",
        ]);

    [Theory]
    [InlineData("TokenLimit", "0")]
    [InlineData("TokensPerPeriod", "0")]
    [InlineData("ReplenishmentPeriod", "00:00:00")]
    [InlineData("ReplenishmentPeriod", "1.00:00:01")]
    [InlineData("QueueLimit", "-1")]
    [InlineData("QueueProcessingOrder", "Youngest")]
    [InlineData("TokensPerSecond", "5")]
    public void A_value_out_of_range_is_refused(string key, string value)
    {
        var settings = new Dictionary<string, string> { ["TokenLimit"] = "1", ["TokensPerPeriod"] = "1", [key] = value };

        Problems([.. settings.Select(s => ($"{Bucket}:{s.Key}", s.Value))]).ShouldHaveSingleItem().ShouldStartWith(
            $"HttpResilience:Clients:api:{Bucket}:{key} is ");
    }

    [Theory]
    [InlineData(1, 10, 0, 1_000_000)]
    [InlineData(1, 10, 4, 5_000_000)]
    [InlineData(60, 100, 0, 6_000_000)]
    [InlineData(1, 3, 0, 3_333_334)]
    [InlineData(86400, 1, int.MaxValue, long.MaxValue)]
    public void The_waiting_calls_and_one_more_have_a_token_after(int seconds, int tokens, int queue, long ticks) =>
        new TokenBucketPolicy(1, tokens, TimeSpan.FromSeconds(seconds), queue,
            QueueProcessingOrder.OldestFirst).QueueTime.ShouldBe(TimeSpan.FromTicks(ticks));

    private static RateLimiterPolicy? PolicyOf(params (string Key, string Value)[] settings)
    {
        using var chain = Create(settings);
        return chain.State.Policy.RateLimiter;
    }

    private static IEnumerable<string> Problems(params (string Key, string Value)[] settings)
    {
        using var chain = Create(settings);
        return Should.Throw<OptionsValidationException>(() => chain.State).Failures;
    }

    private static Chain Create((string Key, string Value)[] settings) =>
        new(settings: settings.ToDictionary(s => s.Key, s => (string?)s.Value));
}
