using System.Globalization;
using Microsoft.Extensions.Logging;

namespace HttpResilience.Tests.Retry;

/// <summary>What the chain does with a server's word about when to come back.</summary>
public sealed class RetryAfterWaitTests
{
    private static readonly TimeSpan OneMillisecond = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan OneTick = TimeSpan.FromTicks(1);

    [Theory]
    [InlineData(true, "30", 30_000)]
    [InlineData(false, "30", 30_000)]
    [InlineData(true, "2.5", 2_500)]
    [InlineData(false, "2.5", 2_500)]
    [InlineData(true, "0.001", 1)]
    public async Task No_attempt_starts_before_retry_after_ends(bool async, string header, double milliseconds)
    {
        using var chain = new Chain(o => o.AttemptTimeout.Timeout = TimeSpan.FromSeconds(50));
        chain.Server.Script(Replies.Status(503, ("Retry-After", header)), Replies.Status(200));

        await AssertWaitsAsync(chain, async, TimeSpan.FromMilliseconds(milliseconds));
    }

    [Theory, InlineData("retry-after-ms", "1500"), InlineData("x-ms-retry-after-ms", "1500")]
    public async Task No_attempt_starts_before_a_hint_in_milliseconds_ends(string name, string value)
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Status(429, (name, value)), Replies.Status(200));

        await AssertWaitsAsync(chain, async: true, TimeSpan.FromMilliseconds(1500));
    }

    [Fact]
    public async Task No_attempt_starts_before_a_quota_is_filled_again()
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Status(503, ("RateLimit", "\"default\";r=0;t=25")), Replies.Status(200));

        await AssertWaitsAsync(chain, async: true, TimeSpan.FromSeconds(25));
    }

    [Fact]
    public async Task No_attempt_starts_before_the_time_since_1970_has_come_that_a_reset_names()
    {
        using var chain = new Chain();
        string reset = chain.Clock.Start.AddSeconds(20).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        chain.Server.Script(Replies.Status(429, ("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", reset)), Replies.Status(200));

        await AssertWaitsAsync(chain, async: true, TimeSpan.FromSeconds(20));
    }

    [Theory]
    [InlineData("ddd, dd MMM yyyy HH:mm:ss 'GMT'")]
    [InlineData("dddd, dd-MMM-yy HH:mm:ss 'GMT'")]
    [InlineData("ddd MMM  d HH:mm:ss yyyy")]
    public async Task No_attempt_starts_before_a_date_has_come(string form)
    {
        using var chain = new Chain();
        string date = chain.Clock.Start.AddSeconds(20).ToString(form, CultureInfo.InvariantCulture);
        chain.Server.Script(Replies.Status(503, ("Retry-After", date)), Replies.Status(200));

        await AssertWaitsAsync(chain, async: true, TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task A_date_is_read_against_the_clock_of_the_server()
    {
        using var chain = new Chain();
        var hours = chain.Clock.Start.AddHours(-5);
        chain.Server.Script(
            Replies.Status(503, ("Date", hours.ToString("R")), ("Retry-After", hours.AddSeconds(20).ToString("R"))), Replies.Status(200));

        await AssertWaitsAsync(chain, async: true, TimeSpan.FromSeconds(20));
    }

    // A timer may fire early, as the platform's do by up to a millisecond.
    [Fact]
    public async Task A_timer_that_fires_early_does_not_start_the_attempt_early()
    {
        using var chain = new Chain();
        chain.Clock.SkipsWaits = false;
        chain.Server.Script(Replies.Status(503, ("Retry-After", "7.0000001")), Replies.Status(200));

        var sending = chain.GetAsync();
        await chain.Clock.TimerDueInAsync(TimeSpan.FromMilliseconds(7001));
        chain.Clock.Advance(TimeSpan.FromMilliseconds(7001));
        (await sending).Dispose();

        chain.Server.Requests[1].SentAfter.ShouldBe(TimeSpan.FromMilliseconds(7001));
    }

    [Fact]
    public async Task Jitter_only_adds_to_what_the_server_asks()
    {
        using var chain = new Chain(o => o.Retry.UseJitter = true);
        chain.Server.Script([.. Enumerable.Repeat(Replies.Status(429, ("Retry-After", "3")), 1), Replies.Status(200)]);

        for (int i = 0; i < 50; i++)
        {
            chain.Server.Script(Replies.Status(429, ("Retry-After", "3")), Replies.Status(200));
            TimeSpan begun = chain.Clock.Elapsed;
            (await chain.GetAsync()).Dispose();
            (chain.Server.Requests[^1].SentAfter - begun).ShouldBeInRange(TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(3.25));
        }
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_wait_beyond_the_deadline_is_not_begun(bool async)
    {
        using var chain = new Chain(o => o.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(30));
        chain.Server.Script(Replies.Status(503, ("Retry-After", "60")), Replies.Status(200));

        using var response = await chain.GetAsync(async);

        ((int)response.StatusCode).ShouldBe(503);
        chain.Clock.Elapsed.ShouldBe(TimeSpan.Zero);
        chain.Server.Requests.Count.ShouldBe(1);
        response.GetHttpCall()!.StopReason.ShouldBe(StopReason.DeadlineWouldPass);
    }

    [Fact]
    public async Task A_backoff_beyond_the_deadline_is_not_begun()
    {
        using var chain =
            new Chain(o => (o.TotalRequestTimeout.Timeout, o.Retry.Delay) = (TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(20)));
        chain.Server.Script(Replies.Status(503));

        using var response = await chain.GetAsync();

        chain.Server.Requests.Select(s => s.SentAfter.TotalSeconds).ShouldBe([0, 20]);
        chain.Clock.Elapsed.ShouldBe(TimeSpan.FromSeconds(20));
        response.GetHttpCall()!.StopReason.ShouldBe(StopReason.DeadlineWouldPass);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task An_unkeyed_post_that_is_too_large_for_now_is_sent_again_when_the_server_says(bool async)
    {
        using var chain = new Chain(o => o.Idempotency.Enabled = false);
        chain.Server.Script(Replies.Status(413, ("Retry-After", "7")), Replies.Status(201));

        using var response = await chain.PostAsync(async);

        response.GetHttpCall()!.StopReason.ShouldBe(StopReason.Succeeded);
        chain.Server.Requests.Select(s => s.SentAfter.TotalSeconds).ShouldBe([0, 7]);
    }

    [Theory]
    [InlineData(true, "5184000"), InlineData(false, "5184000"), InlineData(true, "1000000000"), InlineData(
        true, "Wed, 31 Dec 2070 23:59:59 GMT")]
    public async Task A_retry_after_of_sixty_days_and_more_neither_throws_nor_waits(bool async, string header)
    {
        using var chain = new Chain(o => o.TotalRequestTimeout.Timeout = null);
        chain.Server.Script(Replies.Status(429, ("Retry-After", header)), Replies.Status(200));

        using var response = await chain.GetAsync(async);

        ((int)response.StatusCode).ShouldBe(429);
        chain.Clock.Elapsed.ShouldBe(TimeSpan.Zero);
        var call = response.GetHttpCall()!;
        (call.StopReason, call.FailureClass).ShouldBe((StopReason.RetryAfterTooLong, FailureClass.RateLimited));
    }

    [Theory]
    [InlineData("0"), InlineData(
        "Thu, 01 Jan 1970 00:00:00 GMT"), InlineData("-5"), InlineData("soon"), InlineData("99999999999999999999"), InlineData("")]
    [InlineData("Fri, 31 Dec 9999 23:59:59 GMT")]
    public async Task A_retry_after_that_asks_for_nothing_leaves_the_ordinary_backoff(string header)
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Status(503, ("Retry-After", header)));

        using var response = await chain.GetAsync();

        chain.Server.Requests.Select(s => s.SentAfter.TotalSeconds).ShouldBe([0, 1, 3, 7]);
    }

    [Theory]
    [InlineData("Retry-After", "soon")]
    [InlineData("Retry-After", "-5")]
    [InlineData("Retry-After", "99999999999999999999")]
    [InlineData("retry-after-ms", "")]
    [InlineData("x-ms-retry-after-ms", "1e3")]
    [InlineData("RateLimit", "soon")]
    [InlineData("RateLimit", "\"a\";r=0;t=soon")]
    [InlineData("X-RateLimit-Reset", "soon")]
    [InlineData("RateLimit-Reset", "-5")]
    public async Task A_hint_that_cannot_be_read_is_one_debug_line(string name, string value)
    {
        using var chain = new Chain();
        chain.Server.Script(
            Replies.Status(503, (name, value), ("X-RateLimit-Remaining", "0"), ("RateLimit-Remaining", "0")), Replies.Status(200));

        (await chain.GetAsync()).Dispose();

        var line = chain.Logs.WithId(410).ShouldHaveSingleItem();
        (line.Level, line["Field"], line["Value"], line["StatusCode"]).ShouldBe((LogLevel.Debug, name, value, 503));
    }

    [Fact]
    public async Task The_line_about_a_hint_can_neither_be_forged_nor_be_long()
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Status(503, ("Retry-After", $"a\nb\u2028c{new string('x', 100_000)}")), Replies.Status(200));

        (await chain.GetAsync()).Dispose();

        string message = chain.Logs.WithId(410).ShouldHaveSingleItem().Message;
        message.ShouldContain("Retry-After: a b cxxx");
        message.Length.ShouldBeLessThan(200);
    }

    [Theory]
    [InlineData(404, "Retry-After", "30")]
    [InlineData(503, "Retry-After", "0")]
    [InlineData(503, "Retry-After", "Thu, 01 Jan 1970 00:00:00 GMT")]
    [InlineData(503, "RateLimit", "\"a\";r=5;t=30")]
    [InlineData(503, "RateLimit", "limit=10, remaining=5, reset=30")]
    [InlineData(503, "X-RateLimit-Reset", "soon")]
    [InlineData(200, "Retry-After", "soon")]
    public async Task A_hint_that_can_be_read_or_means_nothing_is_no_line(int status, string name, string value)
    {
        using var chain = new Chain();
        chain.Server.Script(Replies.Status(status, (name, value), ("X-RateLimit-Remaining", "5")), Replies.Status(200));

        (await chain.GetAsync()).Dispose();

        chain.Logs.WithId(410).ShouldBeEmpty();
    }

    [Fact]
    public async Task Retry_after_may_be_left_unheeded()
    {
        using var chain = new Chain(o => o.Retry.ShouldRetryAfterHeader = false);
        chain.Server.Script(Replies.Status(503, ("Retry-After", "60")), Replies.Status(200));

        (await chain.GetAsync()).Dispose();

        chain.Server.Requests[1].SentAfter.ShouldBe(TimeSpan.FromSeconds(1));
    }

    private static async Task AssertWaitsAsync(Chain chain, bool async, TimeSpan wait)
    {
        chain.Clock.SkipsWaits = false;
        var sending = chain.GetAsync(async);
        await chain.Clock.TimerDueInAsync(wait);
        chain.Clock.Advance(wait > OneMillisecond ? wait - OneMillisecond : wait - OneTick);
        chain.Server.Requests.Count.ShouldBe(1);
        sending.IsCompleted.ShouldBeFalse();

        chain.Clock.Advance(wait - chain.Clock.Elapsed);
        (await sending).Dispose();
        chain.Server.Requests.Select(s => s.SentAfter).ShouldBe([TimeSpan.Zero, wait]);
    }
}
