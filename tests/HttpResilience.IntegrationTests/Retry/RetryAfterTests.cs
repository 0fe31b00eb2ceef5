using System.Globalization;

namespace HttpResilience.IntegrationTests;

/// <summary>A Retry-After is followed exactly, whatever the client's clock shows.</summary>
public sealed class RetryAfterTests
{
    [Theory]
    [InlineData(Mode.Async, "Retry-After: 1", 1000), InlineData(Mode.Sync, "Retry-After: 1", 1000)]
    [InlineData(Mode.Async, "Retry-After: 0.35", 350), InlineData(Mode.Sync, "Retry-After: 0.35", 350)]
    [InlineData(Mode.Async, "retry-after-ms: 250", 250)]
    [InlineData(Mode.Async, "x-ms-retry-after-ms: 250\r\nRetry-After: 60", 250)]
    [InlineData(Mode.Async, "RateLimit: \"burst\";r=0;t=1, \"daily\";r=9;t=900", 1000)]
    [InlineData(Mode.Async, "X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 0.3", 300)]
    [InlineData(Mode.Async, "Date: Sun, 01 Mar 2026 12:00:00 GMT\r\nRateLimit-Remaining: 0\r\nRateLimit-Reset: 1772366401", 1000)]
    [InlineData(Mode.Async, "Retry-After: 0.1\r\nRetry-After: 0.3\r\nRetry-After: soon", 300)]
    public async Task No_attempt_starts_before_retry_after_ends(Mode mode, string headers, int milliseconds)
    {
        await using var server = new RawServer(
            Raw.Answer($"HTTP/1.1 429 Too Many Requests\r\n{headers}\r\nContent-Length: 0\r\n\r\n"), Raw.Ok);
        var gaps = new Gaps();
        await using var client = new ResilientClientUnderTest(server.Uri, build: gaps.MeasureOn);

        using var response = await client.Client.SendAsync(mode, Sending.Post());

        response.ShouldHaveSucceeded(attempts: 2);
        gaps.Single().ShouldBeGreaterThanOrEqualTo(TimeSpan.FromMilliseconds(milliseconds));
    }

    [Theory, InlineData(-8, "R"), InlineData(0, "R"), InlineData(8, "R"), InlineData(
        8, "dddd, dd-MMM-yy HH:mm:ss 'GMT'"), InlineData(-8, "ddd MMM d HH:mm:ss yyyy")]
    public async Task A_retry_after_date_is_relative_to_the_servers_clock(int hoursOff, string format)
    {
        var now = DateTimeOffset.UtcNow.AddHours(hoursOff);
        string until = now.AddSeconds(1).ToString(format, CultureInfo.InvariantCulture);
        if (format.StartsWith("ddd M", StringComparison.Ordinal) && now.AddSeconds(1).Day < 10)
            until = until.Insert(8, " ");
        await using var server = new RawServer(
            Raw.Answer($"HTTP/1.1 503 Busy\r\nDate: {now:R}\r\nRetry-After: {until}\r\nContent-Length: 0\r\n\r\n"), Raw.Ok);
        var gaps = new Gaps();
        await using var client = new ResilientClientUnderTest(server.Uri, build: gaps.MeasureOn);

        using var response = await client.Client.SendAsync(Mode.Async, Sending.Get());

        response.ShouldHaveSucceeded(attempts: 2);
        gaps.Single().ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(1));
    }

    [Theory, InlineData(Mode.Async), InlineData(Mode.Sync)]
    public async Task A_retry_after_beyond_the_deadline_ends_the_call(Mode mode)
    {
        await using var server = await KestrelServer.StartAsync(Reply.With(503, "busy", ("Retry-After", "60")));
        await using var client = new ResilientClientUnderTest(
            server.Uri, options => options.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(30));

        using var response = await client.Client.SendAsync(mode, Sending.Get());

        response.GetHttpCall().ShouldHaveEnded(1, FailureClass.Transient, StopReason.DeadlineWouldPass);
        (await response.TextAsync()).ShouldBe("busy");
    }

    [Theory]
    [InlineData(429, "RateLimit", "\"default\";r=0;t=60"), InlineData(
        503, "RateLimit", "limit=100, remaining=0, reset=60"), InlineData(429, "Retry-After", "60")]
    public async Task Retry_after_delays_the_other_calls_to_the_host(int status, string name, string value)
    {
        await using var server = await KestrelServer.StartAsync(Reply.With(status, "", (name, value)));
        await using var client = new ResilientClientUnderTest(
            server.Uri, options => options.TotalRequestTimeout.Timeout = TimeSpan.FromSeconds(30));
        (await client.Client.SendAsync(Mode.Async, Sending.Get())).Dispose();

        var exception = await client.Client.FailAsync<RateLimitedException>(Mode.Async, Sending.Get());

        exception.RetryAfter.ShouldNotBeNull().ShouldBeInRange(TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(60));
        exception.GetHttpCall().ShouldHaveEnded(0, FailureClass.RateLimited, StopReason.RateLimited);
        server.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_retry_after_of_sixty_days_ends_the_call()
    {
        await using var server = await KestrelServer.StartAsync(Reply.With(429, "", ("Retry-After", "5184000")));
        await using var client = new ResilientClientUnderTest(server.Uri);

        using var response = await client.Client.SendAsync(Mode.Async, Sending.Get());

        response.GetHttpCall().ShouldHaveEnded(1, FailureClass.RateLimited, StopReason.RetryAfterTooLong);
    }

    [Theory]
    [InlineData("0"), InlineData("-1"), InlineData("99999999999999999999"), InlineData("soon"), InlineData(
        "Thu, 01 Jan 1970 00:00:00 GMT"), InlineData("")]
    public async Task An_invalid_retry_after_leaves_the_ordinary_backoff(string value)
    {
        await using var server = new RawServer(
            Raw.Answer($"HTTP/1.1 503 Busy\r\nRetry-After: {value}\r\nContent-Length: 0\r\n\r\n"), Raw.Ok);
        var gaps = new Gaps();
        await using var client = new ResilientClientUnderTest(
            server.Uri, options => options.Retry.Delay = TimeSpan.FromMilliseconds(100), build: gaps.MeasureOn);

        using var response = await client.Client.SendAsync(Mode.Async, Sending.Get());

        response.ShouldHaveSucceeded(attempts: 2);
        gaps.Single().ShouldBeGreaterThanOrEqualTo(TimeSpan.FromMilliseconds(100));
    }

    [Fact]
    public async Task A_retry_after_in_a_head_of_fifty_kilobytes_is_found()
    {
        string value = new('9', 50_000);
        await using var server = new RawServer(
            Raw.Answer($"HTTP/1.1 503 Busy\r\nRetry-After: {value}\r\nContent-Length: 0\r\n\r\n"), Raw.Ok);
        await using var client = new ResilientClientUnderTest(server.Uri);

        using var response = await client.Client.SendAsync(Mode.Async, Sending.Get());

        response.ShouldHaveSucceeded(attempts: 2);
    }

    [Fact]
    public async Task A_response_head_of_a_megabyte_ends_the_call()
    {
        string value = new('9', 1_000_000);
        await using var server = new RawServer(Raw.Answer($"HTTP/1.1 503 Busy\r\nRetry-After: {value}\r\nContent-Length: 0\r\n\r\n"));
        await using var client = new ResilientClientUnderTest(server.Uri);

        var exception = await client.Client.FailAsync<HttpRequestException>(Mode.Async, Sending.Get());

        exception.GetHttpCall().ShouldHaveEnded(1, FailureClass.Permanent, StopReason.NotRetryable);
    }
}
