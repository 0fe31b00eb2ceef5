using HttpResilience.Tests.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Tests.RateLimiting;

/// <summary>Limits that only observe let everything pass, and say what they would have done.</summary>
public sealed class ObservedLimitsTests
{
    private const string Host = "http.resilience.client=api, server.address=api.test, server.port=443";

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_rate_limiter_that_observes_rejects_nothing_and_reports_what_it_would_have_rejected(bool async)
    {
        using var chain = Limited(LimitMode.Observe, new() { TokenLimit = 1, TokensPerPeriod = 1 });
        using var metrics = Listen(chain);
        for (int i = 0; i < 4; i++)
            (await chain.GetAsync(async)).Dispose();

        chain.Server.Requests.Count.ShouldBe(4);
        metrics.Of("observed").Select(m => (m.Value, m.Text)).ShouldBe(
            Enumerable.Repeat((1.0, $"{Host}, http.resilience.limit=rate_limiter_rejection"), 3));
        chain.Logs.WithId(591).ShouldHaveSingleItem().ShouldSatisfyAllConditions(
            e => e.Level.ShouldBe(LogLevel.Information),
            e => e.Message.ShouldBe("api: RateLimiter (observed only) would have rejected 1 attempts to https://api.test and delayed 0 "
                + "since the last report"));

        chain.Clock.Advance(TimeSpan.FromSeconds(59));
        (await chain.GetAsync(async)).Dispose();
        chain.Logs.WithId(591).Count.ShouldBe(1);
        chain.Clock.Advance(TimeSpan.FromSeconds(1));
        (await chain.GetAsync(async)).Dispose();
        chain.Logs.WithId(591)[^1].Message.ShouldContain("would have rejected 4 attempts");
    }

    [Fact]
    public async Task An_attempt_that_would_wait_is_sent_at_once_and_keeps_its_place_in_the_queue()
    {
        using var chain = Limited(LimitMode.Observe, new() { TokenLimit = 1, TokensPerPeriod = 1, QueueLimit = 2 });
        using var metrics = Listen(chain);
        for (int i = 0; i < 4; i++)
            (await chain.GetAsync()).Dispose();

        chain.Server.Requests.Count.ShouldBe(4);
        metrics.Of("observed").Select(m => m.Text).ShouldBe(
        [
            $"{Host}, http.resilience.limit=rate_limiter_wait", $"{Host}, http.resilience.limit=rate_limiter_wait",
            $"{Host}, http.resilience.limit=rate_limiter_rejection",
        ]);
        chain.Logs.WithId(591).ShouldHaveSingleItem().Message.ShouldContain("rejected 0 attempts to https://api.test and delayed 1 since");
    }

    [Fact]
    public async Task Attempts_that_end_give_their_place_back()
    {
        using var server = new HeldServer();
        using var chain = new Chain(
            o => o.RateLimiter = new() { Mode = LimitMode.Observe, DefaultRateLimiterOptions = new() { PermitLimit = 1 } },
            b => b.ConfigurePrimaryHttpMessageHandler(() => server));
        using var metrics = Listen(chain);
        for (int i = 0; i < 3; i++)
        {
            var call = chain.GetAsync();
            await server.ArrivedAsync(1);
            server.Answer();
            (await call).Dispose();
        }

        metrics.Of("observed").ShouldBeEmpty();
        Task<HttpResponseMessage>[] both = [chain.GetAsync(), chain.GetAsync()];
        await server.ArrivedAsync(2);
        metrics.Of("observed").ShouldHaveSingleItem();
        server.Answer();
        server.Answer();
        foreach (var call in both)
            (await call).Dispose();
    }

    [Fact]
    public async Task The_mode_of_the_limiter_changes_with_a_reload()
    {
        using var chain = new Chain(settings: new Dictionary<string, string?>
        {
            ["RateLimiter:Mode"] = "Observe",
            ["RateLimiter:DefaultRateLimiterOptions:PermitLimit"] = "1",
            ["RateLimiter:TokenBucket:TokenLimit"] = "1",
            ["RateLimiter:TokenBucket:TokensPerPeriod"] = "1",
            ["RateLimiter:TokenBucket:ReplenishmentPeriod"] = "1.00:00:00",
        });
        for (int i = 0; i < 3; i++)
            (await chain.GetAsync()).Dispose();

        chain.Reload(("RateLimiter:Mode", "Enforce"));
        (await chain.GetAsync()).Dispose();

        await Assert.ThrowsAsync<RateLimitedException>(() => chain.GetAsync());
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_retry_budget_that_observes_stops_no_retry_and_reports_what_it_would_have_stopped(bool async)
    {
        using var chain = Budgeted(LimitMode.Observe);
        using var metrics = Listen(chain);
        chain.Server.Script(Replies.Status(500));

        for (int i = 0; i < 2; i++)
        {
            using var response = await chain.GetAsync(async);
            response.GetHttpCall()!.StopReason.ShouldBe(StopReason.AttemptsExhausted);
        }

        chain.Server.Requests.Count.ShouldBe(8);
        metrics.Of("observed").Select(m => (m.Value, m.Text)).ShouldBe(
            Enumerable.Repeat((1.0, $"{Host}, http.resilience.limit=retry_budget"), 5));
        chain.Logs.WithId(592).ShouldHaveSingleItem().ShouldSatisfyAllConditions(
            e => e.Level.ShouldBe(LogLevel.Information),
            e => e.Message.ShouldBe(
                "api: Retry:Budget (observed only) would have stopped 1 retries to https://api.test since the last report"));

        chain.Clock.Advance(TimeSpan.FromMinutes(1));
        (await chain.GetAsync(async)).Dispose();
        // The budget has a retry again; of the two others and the four from before, the first report is at the first of them.
        chain.Logs.WithId(592)[^1].Message.ShouldContain("would have stopped 5 retries");
    }

    [Fact]
    public async Task A_retry_budget_that_enforces_reports_nothing()
    {
        using var chain = Budgeted(LimitMode.Enforce);
        using var metrics = Listen(chain);
        chain.Server.Script(Replies.Status(500));

        using var response = await chain.GetAsync();

        response.GetHttpCall()!.StopReason.ShouldBe(StopReason.BudgetExhausted);
        metrics.Of("observed").ShouldBeEmpty();
        chain.Logs.WithId(592).ShouldBeEmpty();
    }

    [Fact]
    public void A_budget_that_observes_allows_every_retry_and_counts_those_beyond_it_once()
    {
        var policy = new RetryBudgetPolicy(0, 2, 1_000) { OnlyObserves = true };
        var budget = new RetryBudget();
        for (int i = 0; i < 5; i++)
            budget.TrySpend(policy, 1_000_000).ShouldBeTrue();

        budget.TakeOverdrawn().ShouldBe(3);
        budget.TakeOverdrawn().ShouldBe(0);
        // What it would have stopped has not been spent: it stands as one that enforces.
        budget.TrySpend(policy with { OnlyObserves = false }, 1_010_000).ShouldBeTrue();
        budget.TakeOverdrawn().ShouldBe(0);
    }

    [Fact]
    public void Reports_of_attempts_and_retries_are_a_minute_apart_each()
    {
        var counts = new ObservedCounts();

        counts.CountAttempt(waits: false, 0, 60).ShouldBe((1, 0));
        counts.CountRetries(3, 1, 60).ShouldBe(3);
        counts.CountAttempt(waits: false, 1, 60).ShouldBeNull();
        counts.CountAttempt(waits: true, 59, 60).ShouldBeNull();
        counts.CountRetries(2, 60, 60).ShouldBe(0);
        counts.CountAttempt(waits: true, 60, 60).ShouldBe((1, 2));
        counts.CountRetries(2, 61, 60).ShouldBe(4);
        counts.CountAttempt(waits: true, 120, 60).ShouldBe((0, 1));
    }

    private static Chain Limited(LimitMode mode, TokenBucketOptions bucket) => new(o =>
    {
        bucket.ReplenishmentPeriod = TimeSpan.FromDays(1);
        o.RateLimiter = new() { Mode = mode, TokenBucket = bucket };
    });

    private static Chain Budgeted(LimitMode mode) => new(o =>
    {
        (o.Retry.Budget.RetryRatio, o.Retry.Budget.MinimumThroughput, o.Retry.Budget.Mode) = (0, 1, mode);
        o.Retry.Delay = TimeSpan.FromMilliseconds(10);
        o.CircuitBreaker.BreakDuration = null;
    });

    private static MeasurementCollector Listen(Chain chain)
    {
        _ = chain.Client;
        return new(chain.Services);
    }
}
