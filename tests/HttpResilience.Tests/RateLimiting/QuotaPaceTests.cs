using Microsoft.Extensions.DependencyInjection;
using static HttpResilience.QuotaOptions;

namespace HttpResilience.Tests.RateLimiting;

/// <summary>Calls are spread over what is left of the quotas (<c>Quota:Pace</c>).</summary>
public sealed class QuotaPaceTests
{
    private const double Second = 1000;

    [Theory]
    // Nothing was sent yet.
    [InlineData(10, 60, null, 0)]
    // Ten calls in 60 s: one each 60/11 s.
    [InlineData(10, 60, 0, 5.455), InlineData(1, 60, 0, 30), InlineData(9, 60, 6.0, 11.4), InlineData(5, 60, -100, 0)]
    // Nothing is left until the reset, and those who wait for it already are spread over the next window.
    [InlineData(0, 60, 0, 60), InlineData(-3, 60, 0, 60), InlineData(0, 60, 60.0, 66), InlineData(0, 60, 72.0, 78)]
    // The window is over.
    [InlineData(0, 0, 0, 0), InlineData(0, -5, 0, 0)]
    public void A_window_lasts_until_its_reset(double left, double resetIn, object? last, double expected) =>
        Earliest(QuotaKind.Window, left, resetIn, last).ShouldBe(expected, tolerance: 0.01);

    [Theory]
    // A bucket of 10 that fills in 60 s: one each 6 s when it is empty, each 3 s when it is full.
    [InlineData(10, null, 0), InlineData(1, 0, 6), InlineData(11, 0, 3), InlineData(0, 0, 6), InlineData(-1, 0, 12), InlineData(0.5, 0, 6)]
    [InlineData(5, -100, 0), InlineData(0, -100, 6)]
    public void A_bucket_is_emptied_while_it_fills(double left, object? last, double expected) =>
        Earliest(QuotaKind.Refill, left, 0, last).ShouldBe(expected, tolerance: 0.01);

    [Theory]
    [InlineData(10, null, 0), InlineData(10, 0, 6), InlineData(1, 0, 6), InlineData(0, 0, 20), InlineData(0, 30, 36)]
    [InlineData(3, -100, 0)]
    public void Units_that_come_back_one_by_one_are_waited_for(double left, object? last, double expected) =>
        Earliest(QuotaKind.Rolling, left, 0, last).ShouldBe(expected, tolerance: 0.01);

    [Fact]
    public void Units_that_were_used_before_the_quota_was_known_come_back_a_window_later()
    {
        var window = new QuotaWindow();
        // Of ten, three were used before, and one by the call that reports; the rest is used one a second.
        window.Report(Rolling(6), null, Ticks(10), uncounted: 0, returnedBefore: null, Ticks(0));
        for (int i = 1; i <= 6; i++)
        {
            window.Start(Ticks(i));
            window.End(wasSent: true, Ticks(i));
            window.Report(Rolling(6 - i), null, Ticks(10), uncounted: 0, returnedBefore: 0, Ticks(i));
        }

        window.Earliest(isFirst: false, Ticks(7)).ShouldBe(Ticks(10));
        window.MayStart(Ticks(10)).ShouldBeTrue();
        // The report counts the four; those that the six used still come back when they should.
        window.Start(Ticks(10));
        window.End(wasSent: true, Ticks(10));
        window.Report(Rolling(3), null, Ticks(10), uncounted: 0, returnedBefore: 4, Ticks(10));
        window.Earliest(isFirst: false, Ticks(11));
        window.Returned.ShouldBe(5);
    }

    [Fact]
    public void Calls_that_were_under_way_when_the_quota_became_known_come_back_a_window_after_they_were_counted()
    {
        var window = new QuotaWindow();
        window.Report(Rolling(9), null, Ticks(10), uncounted: 3, returnedBefore: null, Ticks(0));
        window.Report(Rolling(6), null, Ticks(10), uncounted: 0, returnedBefore: null, Ticks(2));

        window.Earliest(isFirst: true, Ticks(10));
        window.Returned.ShouldBe(1);
        window.Earliest(isFirst: true, Ticks(12));
        window.Returned.ShouldBe(4);
    }

    [Fact]
    public void A_quota_that_was_used_up_before_it_was_known_opens_a_window_later()
    {
        var window = new QuotaWindow();

        window.Report(Rolling(0), null, Ticks(10), uncounted: 0, returnedBefore: null, Ticks(0));

        window.Earliest(isFirst: false, Ticks(1)).ShouldBeInRange(Ticks(10), Ticks(10.1));
        window.MayStart(Ticks(9)).ShouldBeFalse();
        window.MayStart(Ticks(10)).ShouldBeTrue();
    }

    [Theory]
    [InlineData(0, 10)]
    [InlineData(0.1, 11)]
    [InlineData(2, 12)]
    [InlineData(1e30, long.MaxValue)]
    public void A_start_is_never_early(double ticks, long expected) => QuotaPaceRules.Later(10, ticks).ShouldBe(expected);

    [Fact]
    public void A_call_that_is_not_sent_gives_back_what_it_took()
    {
        var window = new QuotaWindow();
        window.Report(Rolling(1), null, Ticks(10), uncounted: 0, returnedBefore: null, Ticks(0));
        window.Start(Ticks(1));
        window.MayStart(Ticks(1)).ShouldBeFalse();

        window.End(wasSent: false, Ticks(1));

        window.MayStart(Ticks(1)).ShouldBeTrue();
    }

    [Fact]
    public void An_idle_bucket_is_full_and_not_more()
    {
        var window = new QuotaWindow();
        window.Report(Rolling(8) with { Kind = QuotaKind.Refill }, null, Ticks(60), uncounted: 0, returnedBefore: null, Ticks(0));

        for (int call = 0; call < 10; call++)
        {
            window.MayStart(Ticks(600)).ShouldBeTrue();
            window.Start(Ticks(600));
        }

        window.MayStart(Ticks(600)).ShouldBeFalse();
    }

    [Theory, InlineData("Window"), InlineData("Refill"), InlineData("Rolling")]
    public void A_call_that_uses_more_than_another_needs_more(string name)
    {
        var kind = Enum.Parse<QuotaKind>(name);
        var quota = Standing(kind, left: 4, resetIn: 60, last: 0) with { Cost = 2, Need = 5 };

        QuotaPaceRules.Earliest(quota, 0).ShouldBeGreaterThanOrEqualTo((long)(kind is QuotaKind.Window ? 60 * Second : 6 * Second));
        QuotaPaceRules.Earliest(quota with { Left = 5 }, 0).ShouldBeLessThan((long)(31 * Second));
    }

    [Theory]
    [InlineData(1e300, 1, 1e300), InlineData(1, 1e-300, 1), InlineData(1, -1e300, 1), InlineData(1e18, 1e18, 1)]
    public void Absurd_figures_give_a_time(double limit, double left, double cost)
    {
        foreach (var kind in Enum.GetValues<QuotaKind>())
        {
            var quota = Standing(kind, left, resetIn: 60, last: 0) with { Limit = limit, Cost = cost, Need = cost };

            QuotaPaceRules.Earliest(quota, 7).ShouldBeGreaterThanOrEqualTo(7);
            QuotaPaceRules.Earliest(quota with { ResetAt = long.MaxValue, Last = long.MaxValue - 10 }, 7).ShouldBeGreaterThanOrEqualTo(7);
            QuotaPaceRules.Earliest(quota with { Length = 0, ResetAt = 0 }, 7).ShouldBe(7);
        }
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Calls_are_spread_over_what_is_left(bool async)
    {
        using var chain = new Chain(o => o.Quota.Pace = true);
        chain.Server.Script(Replies.Status(200, ("RateLimit-Policy", "\"a\";q=100;w=60"), ("RateLimit", "\"a\";r=9;t=60")));
        (await chain.GetAsync(async)).Dispose();

        (await chain.GetAsync(async)).Dispose();

        chain.Clock.Elapsed.ShouldBe(TimeSpan.FromSeconds(6), tolerance: TimeSpan.FromMilliseconds(2));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_call_whose_start_would_come_too_late_fails_at_once_and_sends_nothing(bool async)
    {
        using var chain = new Chain(o => (o.Quota.Pace, o.TotalRequestTimeout.Timeout) = (true, TimeSpan.FromSeconds(5)));
        chain.Server.Script(Replies.Status(200, ("RateLimit-Policy", "\"a\";q=100;w=60"), ("RateLimit", "\"a\";r=0;t=60")));
        (await chain.GetAsync(async)).Dispose();

        var rejected = await Should.ThrowAsync<RateLimitedException>(() => chain.GetAsync(async));

        rejected.RetryAfter.ShouldBe(TimeSpan.FromSeconds(60));
        rejected.Message.ShouldBe(
            "The quota of https://api.test is used up for another 60.0 s, longer than the call can wait (Quota:Pace).");
        rejected.GetHttpCall()!.StopReason.ShouldBe(StopReason.RateLimited);
        chain.Clock.Elapsed.ShouldBe(TimeSpan.Zero);
        chain.Server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_repetition_is_paced_too()
    {
        using var chain = new Chain(o => o.Quota.Pace = true);
        (string, string)[] fields = [("RateLimit-Policy", "\"a\";q=100;w=60"), ("RateLimit", "\"a\";r=1;t=60")];
        chain.Server.Script(Replies.Status(500, fields), Replies.Status(200, fields));

        (await chain.GetAsync()).Dispose();

        chain.Clock.Elapsed.ShouldBe(TimeSpan.FromSeconds(30), tolerance: TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task Tenants_have_a_pace_each()
    {
        using var chain = new Chain(o => o.Quota.Pace = true);
        chain.Server.Script(Replies.Status(200, ("RateLimit-Policy", "\"a\";q=100;w=60"), ("RateLimit", "\"a\";r=1;t=60")));
        (await chain.SendAsync(true, Chain.Get().WithTenant("a"))).Dispose();
        (await chain.SendAsync(true, Chain.Get().WithTenant("b"))).Dispose();
        (await chain.GetAsync()).Dispose();

        chain.Clock.Elapsed.ShouldBe(TimeSpan.Zero);
    }

    [Fact]
    public async Task Parts_have_a_pace_each()
    {
        using var chain = new Chain(o => (o.Quota.Pace, o.Quota.Preset) = (true, Api.GitHub));
        foreach (string part in (string[])["core", "search", "core", "search"])
        {
            chain.Server.Script(Replies.Status(200, ("x-ratelimit-limit", "100"), ("x-ratelimit-remaining", part == "core" ? "99999" : "1"),
                ("x-ratelimit-reset", "60"), ("x-ratelimit-resource", part)));
            var before = chain.Clock.Elapsed;
            bool isFirst = chain.Server.Requests.Count < 2;
            (await chain.SendAsync(true, Chain.Get($"{part}/a/b"))).Dispose();
            (chain.Clock.Elapsed - before > TimeSpan.FromSeconds(1)).ShouldBe(part == "search" && !isFirst);
        }
    }

    [Fact]
    public async Task Several_windows_hold_at_once()
    {
        using var chain = new Chain(o => o.Quota.Pace = true);
        chain.Server.Script(Replies.Status(200, ("RateLimit-Policy", "\"m\";q=100;w=60, \"d\";q=1000;w=3600"),
            ("RateLimit", "\"m\";r=59;t=60, \"d\";r=1;t=90")));
        (await chain.GetAsync()).Dispose();

        (await chain.GetAsync()).Dispose();

        chain.Clock.Elapsed.ShouldBe(TimeSpan.FromSeconds(45), tolerance: TimeSpan.FromMilliseconds(2));
    }

    [Fact]
    public async Task A_cancelled_wait_gives_its_start_back()
    {
        using var chain = new Chain(o => o.Quota.Pace = true);
        chain.Clock.SkipsWaits = false;
        chain.Server.Script(Replies.Status(200, ("RateLimit-Policy", "\"a\";q=100;w=60"), ("RateLimit", "\"a\";r=1;t=60")));
        (await chain.GetAsync()).Dispose();
        using var cancel = new CancellationTokenSource();
        var waiting = chain.SendAsync(true, Chain.Get(), cancel.Token);
        await cancel.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => waiting);
        chain.Clock.SkipsWaits = true;

        (await chain.GetAsync()).Dispose();

        chain.Clock.Elapsed.ShouldBe(TimeSpan.FromSeconds(30), tolerance: TimeSpan.FromMilliseconds(2));
    }

    [Fact]
    public async Task A_rejection_by_the_circuit_gives_its_start_back()
    {
        using var chain = new Chain(o => o.Quota.Pace = true);
        chain.Server.Script(Replies.Status(200, ("RateLimit-Policy", "\"a\";q=100;w=60"), ("RateLimit", "\"a\";r=1;t=60")));
        (await chain.GetAsync()).Dispose();
        var circuits = chain.Services.GetRequiredService<ICircuits>();
        circuits.Isolate(Chain.Name, new("https://api.test/"));
        for (int i = 0; i < 5; i++)
            await Should.ThrowAsync<CircuitOpenException>(() => chain.GetAsync());
        circuits.Close(Chain.Name, new("https://api.test/"));

        (await chain.GetAsync()).Dispose();

        chain.Clock.Elapsed.ShouldBe(TimeSpan.FromSeconds(30), tolerance: TimeSpan.FromMilliseconds(2));
    }

    [Fact]
    public async Task An_API_that_stops_reporting_stops_nobody()
    {
        using var chain = new Chain(o => o.Quota.Pace = true);
        chain.Server.Script(
            Replies.Status(200, ("RateLimit-Policy", "\"a\";q=5;w=10"), ("RateLimit", "\"a\";r=0;t=10")), Replies.Status(200));
        for (int i = 0; i < 50; i++)
            (await chain.GetAsync()).Dispose();

        chain.Clock.Elapsed.ShouldBeInRange(TimeSpan.FromSeconds(90), TimeSpan.FromSeconds(120));
    }

    [Fact]
    public async Task Calls_of_many_threads_never_take_more_than_there_is()
    {
        var quotas = new HostQuotas();
        var route = new QuotaRoute("GET", "/a");
        var length = TimeSpan.FromSeconds(100);
        Report(quotas, route, new("q", 1000) { Limit = 1000, Reset = length, Window = length }, now: 0);
        int started = 0;

        await Parallel.ForAsync(0, 8, TestContext.Current.CancellationToken, (_, _) =>
        {
            for (int i = 0; i < 1000; i++)
            {
                var turn = new QuotaTurn(quotas, null);
                if (quotas.Reserve(turn, route, i, long.MaxValue, 10) >= 100_000)
                    quotas.GiveBack(turn, i);
                else if (quotas.TryStart(turn, i))
                    Interlocked.Increment(ref started);
            }

            return ValueTask.CompletedTask;
        });

        started.ShouldBe(1000);
    }

    [Fact]
    public void The_windows_of_a_host_and_its_tenants_are_bounded()
    {
        var quotas = new HostQuotas();
        var route = new QuotaRoute("GET", "/a");
        for (int i = 0; i < 10_000; i++)
        {
            var turn = new QuotaTurn(quotas, $"tenant {i}");
            quotas.Reserve(turn, route, i, long.MaxValue, 100);
            quotas.TryStart(turn, i);
            quotas.End(turn, route, [new($"q{i}", 5) { Reset = TimeSpan.FromSeconds(9), Part = $"p{i}" }], t => t.Ticks, i, 100);
            Report(quotas, route, new($"q{i}", 5) { Reset = TimeSpan.FromSeconds(9), IsOfHost = true }, i);
        }

        quotas.Size.ShouldBeLessThan(64 + 100 * 64);
    }

    private static void Report(HostQuotas quotas, QuotaRoute route, QuotaReport report, long now)
    {
        var turn = new QuotaTurn(quotas, null);
        quotas.Reserve(turn, route, now, long.MaxValue, 100);
        quotas.TryStart(turn, now);
        quotas.End(turn, route, [report], time => (long)(time.TotalSeconds * Second), now, 100);
    }

    private static QuotaReport Rolling(int remaining) => new("q", remaining) { Kind = QuotaKind.Rolling, Limit = 10 };

    private static long Ticks(double seconds) => (long)(seconds * Second);

    private static double Earliest(QuotaKind kind, double left, double resetIn, object? last) =>
        QuotaPaceRules.Earliest(Standing(kind, left, resetIn, last is null ? null : Convert.ToDouble(last)), 0) / Second;

    private static QuotaStanding Standing(QuotaKind kind, double left, double resetIn, double? last) => new()
    {
        Kind = kind,
        Limit = 10,
        Left = left,
        Cost = 1,
        Need = 1,
        ResetAt = (long)(resetIn * Second),
        Length = (long)(60 * Second),
        Last = last is { } at ? (long)(at * Second) : QuotaStanding.NoStart,
        NextReturn = (long)(20 * Second),
    };
}
