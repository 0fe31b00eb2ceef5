using System.Net;

namespace HttpResilience.Tests.Http;

/// <summary>Numbers: <c>Retry-After</c> in seconds, its two kin in milliseconds, and which of them wins.</summary>
public sealed class RetryAfterTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("0", 0)]
    [InlineData("0.0", 0)]
    [InlineData("1", 1)]
    [InlineData("120", 120)]
    [InlineData("2.5", 2.5)]
    [InlineData("0.25", 0.25)]
    [InlineData("007", 7)]
    [InlineData(" 7 ", 7)]
    [InlineData("\t7\t", 7)]
    [InlineData("5184000", 5184000)]
    public void Seconds_are_read_whole_and_fractional(string value, double seconds) =>
        Of(("Retry-After", value)).ShouldBe(TimeSpan.FromSeconds(seconds));

    [Theory]
    [InlineData("1000000000", 1_000_000_000)]
    [InlineData("1772366460", 60)]
    [InlineData("1772366402.5", 2.5)]
    [InlineData("1772366460000", 60)]
    [InlineData("2147483648", 375_117_248)]
    public void A_number_above_thirty_years_is_the_time_since_1970(string value, double seconds) =>
        Of(("Retry-After", value)).ShouldBe(TimeSpan.FromSeconds(seconds));

    [Theory]
    [InlineData("1000000001")]
    [InlineData("1772366400")]
    [InlineData("1772366399")]
    [InlineData("4000000000")]
    [InlineData("922337203685")]
    [InlineData("1772366399000")]
    [InlineData("9999999999999")]
    public void A_time_that_has_passed_or_is_more_than_fifty_years_ahead_is_ignored(string value) =>
        Of(("Retry-After", value)).ShouldBeNull();

    [Theory]
    [InlineData("1772366460000", 60_000.0)]
    [InlineData("1772366400500.5", 500.5)]
    [InlineData("1000000000000", 1e12)]
    [InlineData("1772366460", 1772366460.0)]
    [InlineData("1772366400000", null)]
    [InlineData("1000000000001", null)]
    [InlineData("9999999999999", null)]
    public void In_milliseconds_too(string value, double? milliseconds)
    {
        TimeSpan? expected = milliseconds is { } ms ? TimeSpan.FromMilliseconds(ms) : null;

        Of(("retry-after-ms", value)).ShouldBe(expected);
        Of(("x-ms-retry-after-ms", value)).ShouldBe(expected);
        Of(("x-amz-retry-after", value)).ShouldBe(expected);
    }

    [Fact]
    public void The_time_since_1970_is_read_by_the_clock_of_the_server() =>
        Of(("Retry-After", "1577836845"), ("Date", "Wed, 01 Jan 2020 00:00:00 GMT")).ShouldBe(TimeSpan.FromSeconds(45));

    [Theory]
    [InlineData("0", 0)]
    [InlineData("1500", 1.5)]
    [InlineData("0.5", 0.0005)]
    [InlineData("250.5", 0.2505)]
    [InlineData(" 20 ", 0.02)]
    public void Milliseconds_are_read_whole_and_fractional(string value, double seconds)
    {
        Of(("retry-after-ms", value)).ShouldBe(TimeSpan.FromSeconds(seconds));
        Of(("x-ms-retry-after-ms", value)).ShouldBe(TimeSpan.FromSeconds(seconds));
        Of(("x-amz-retry-after", value)).ShouldBe(TimeSpan.FromSeconds(seconds));
    }

    [Theory]
    [InlineData("0.00000001", 1)]
    [InlineData("0.00000011", 2)]
    [InlineData("1.00000001", 10_000_001)]
    public void A_wait_finer_than_the_clock_is_rounded_up(string value, long ticks) =>
        Of(("Retry-After", value)).ShouldBe(TimeSpan.FromTicks(ticks));

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("soon")]
    [InlineData("-1")]
    [InlineData("-0")]
    [InlineData("+1")]
    [InlineData("1e3")]
    [InlineData("1,5")]
    [InlineData("1.2.3")]
    [InlineData(".5")]
    [InlineData("1 2")]
    [InlineData("5s")]
    [InlineData("0x10")]
    [InlineData("1_000")]
    [InlineData("NaN")]
    [InlineData("Infinity")]
    [InlineData("\u0665")]
    [InlineData("\"5\"")]
    [InlineData("(5)")]
    [InlineData("5;")]
    [InlineData("5\0")]
    [InlineData("\05")]
    [InlineData("5\0\0\0")]
    [InlineData("5\r\n")]
    [InlineData("99999999999999999999")]
    [InlineData("922337203685478")]
    [InlineData("79228162514264337593543950335")]
    [InlineData("99999999999999999999999999999999")]
    public void A_value_that_is_no_number_of_seconds_is_ignored(string value) => Of(("Retry-After", value)).ShouldBeNull();

    [Theory]
    [InlineData("-1")]
    [InlineData("soon")]
    [InlineData("5\0")]
    [InlineData("99999999999999999999")]
    [InlineData("Sun, 01 Mar 2026 12:00:30 GMT")]
    public void A_value_that_is_no_number_of_milliseconds_is_ignored(string value)
    {
        Of(("retry-after-ms", value)).ShouldBeNull();
        Of(("x-ms-retry-after-ms", value)).ShouldBeNull();
        Of(("x-amz-retry-after", value)).ShouldBeNull();
    }

    [Theory]
    [InlineData('9')]
    [InlineData('0')]
    [InlineData(' ')]
    [InlineData('a')]
    [InlineData(',')]
    [InlineData('-')]
    [InlineData('\0')]
    public void A_megabyte_of_anything_is_ignored(char filler)
    {
        string value = new(filler, 1 << 20);

        Of(("Retry-After", value)).ShouldBeNull();
        Of(("retry-after-ms", value)).ShouldBeNull();
        Of(("Retry-After", $"1{value}")).ShouldBe(filler is ' ' ? TimeSpan.FromSeconds(1) : null);
        Of(("Retry-After", "Sun, 01 Mar 2026 12:00:30 GMT"), ("Date", value)).ShouldBe(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public void No_header_is_no_wait() => Of().ShouldBeNull();

    [Fact]
    public void Header_names_are_read_in_any_case()
    {
        Of(("RETRY-AFTER", "3")).ShouldBe(TimeSpan.FromSeconds(3));
        Of(("Retry-After-MS", "3")).ShouldBe(TimeSpan.FromMilliseconds(3));
        Of(("X-MS-Retry-After-MS", "3")).ShouldBe(TimeSpan.FromMilliseconds(3));
    }

    [Theory]
    [InlineData("100", "200", "3", 100)]
    [InlineData(null, "200", "3", 200)]
    [InlineData(null, null, "3", 3000)]
    [InlineData("100", null, "3", 100)]
    [InlineData("x", "200", "3", 200)]
    [InlineData("-1", "99999999999999999999", "3", 3000)]
    [InlineData("x", "x", "x", null)]
    [InlineData("5000", null, "1", 5000)]
    public void The_first_valid_of_the_three_wins(string? retryAfterMs, string? xMsRetryAfterMs, string? retryAfter, int? milliseconds)
    {
        (string Name, string? Value)[] headers =
            [("Retry-After", retryAfter), ("x-ms-retry-after-ms", xMsRetryAfterMs), ("retry-after-ms", retryAfterMs)];

        Of([.. headers.Where(h => h.Value is not null).Select(h => (h.Name, h.Value!))])
            .ShouldBe(milliseconds is { } ms ? TimeSpan.FromMilliseconds(ms) : null);
    }

    [Theory]
    [InlineData(20, "10", "20")]
    [InlineData(20, "20", "10")]
    [InlineData(20, "0", "20", "10")]
    [InlineData(20, "soon", "20", "-30")]
    [InlineData(20, "99999999999999999999", "20")]
    [InlineData(60, "20", "Sun, 01 Mar 2026 12:01:00 GMT")]
    [InlineData(90, "90", "Sun, 01 Mar 2026 12:01:00 GMT")]
    public void Of_several_lines_the_longest_valid_counts(int seconds, params string[] lines) =>
        Of([.. lines.Select(line => ("Retry-After", line))]).ShouldBe(TimeSpan.FromSeconds(seconds));

    /// <summary>RFC 9110 §5.3: an intermediary may join lines.</summary>
    [Theory]
    [InlineData("30, 40", 40)]
    [InlineData("40, 30", 40)]
    [InlineData("30,  40", 40)]
    [InlineData("soon, 30, -5", 30)]
    [InlineData("30, Sun, 01 Mar 2026 12:01:00 GMT", 60)]
    [InlineData("Sun, 01 Mar 2026 12:01:00 GMT, 30", 60)]
    [InlineData("Sun, 01 Mar 2026 12:00:20 GMT, Sun, 01 Mar 2026 12:00:40 GMT", 40)]
    [InlineData("Sunday, 01-Mar-26 12:00:20 GMT, 30", 30)]
    [InlineData("Sun Mar  1 12:01:00 2026, 30", 60)]
    [InlineData("Sun, 30", null)]
    [InlineData("1,5", null)]
    [InlineData(", ", null)]
    [InlineData("soon, later", null)]
    public void Of_lines_that_were_joined_the_longest_valid_counts(string value, int? seconds) =>
        Of(("Retry-After", value)).ShouldBe(seconds is { } s ? TimeSpan.FromSeconds(s) : null);

    [Theory, InlineData("retry-after-ms"), InlineData("x-ms-retry-after-ms"), InlineData("x-amz-retry-after")]
    public void Of_joined_lines_in_milliseconds_too(string name) =>
        Of((name, "10, x, 30, 20")).ShouldBe(TimeSpan.FromMilliseconds(30));

    [Fact]
    public void Of_several_lines_in_milliseconds_the_longest_valid_counts() =>
        Of(("retry-after-ms", "10"), ("retry-after-ms", "x"), ("retry-after-ms", "30"), ("retry-after-ms", "20")).ShouldBe(
            TimeSpan.FromMilliseconds(30));

    [Theory]
    [InlineData(null)]
    [InlineData("Retry-After", "Retry-After: soon")]
    [InlineData("retry-after-ms", "Retry-After: soon", "retry-after-ms: x")]
    [InlineData("x-ms-retry-after-ms", "x-ms-retry-after-ms: x")]
    [InlineData("x-amz-retry-after", "x-amz-retry-after: x", "Retry-After: soon")]
    [InlineData("x-ratelimit-reset-requests", "x-ratelimit-remaining-requests: 0", "x-ratelimit-reset-requests: x")]
    [InlineData("Retry-After", "RateLimit: nonsense;r=0", "Retry-After: soon")]
    [InlineData("RateLimit", "RateLimit: \"d\";r=0;t=x")]
    [InlineData("X-RateLimit-Reset", "X-RateLimit-Remaining: 0", "X-RateLimit-Reset: x")]
    [InlineData("RateLimit-Reset", "RateLimit-Remaining: 0", "RateLimit-Reset: x")]
    [InlineData(null, "RateLimit: \"d\";r=1;t=x")]
    [InlineData(null, "X-RateLimit-Remaining: 1", "X-RateLimit-Reset: x")]
    public void The_hint_that_cannot_be_read_is_named(string? name, params string[] headers)
    {
        using var response = Response([.. headers.Select(h => (h.Split(": ")[0], h.Split(": ")[1]))]);

        RetryAfter.UnreadableIn(response.Headers, isRejected: false).ShouldBe(name);
    }

    [Theory]
    [InlineData("X-RateLimit-Reset", "X-RateLimit-Reset: soon")]
    [InlineData("X-RateLimit-Reset", "X-RateLimit-Reset: 1772366399")]
    [InlineData(null, "X-RateLimit-Limit: 5")]
    [InlineData(null, "X-RateLimit-Remaining: 5", "X-RateLimit-Reset: soon")]
    public void The_reset_without_a_count_of_a_429_is_named_too(string? name, params string[] headers)
    {
        using var response = Response([.. headers.Select(h => (h.Split(": ")[0], h.Split(": ")[1]))]);

        RetryAfter.UnreadableIn(response.Headers, isRejected: true).ShouldBe(name);
        RetryAfter.UnreadableIn(response.Headers, isRejected: false).ShouldBeNull();
    }

    private static TimeSpan? Of(params (string Name, string Value)[] headers)
    {
        using var response = Response(headers);
        return RetryAfter.Of(response.Headers, Now);
    }

    private static HttpResponseMessage Response((string Name, string Value)[] headers)
    {
        var response = new HttpResponseMessage();
        foreach (var (name, value) in headers)
            response.Headers.TryAddWithoutValidation(name, value).ShouldBeTrue();
        return response;
    }

    /// <summary>Every failed response is asked for a hint.</summary>
    [Theory]
    [InlineData]
    [InlineData("Server: nginx", "Date: Sun, 29 Nov 2026 19:14:07 GMT", "X-Request-Id: 1", "Strict-Transport-Security: max-age=1")]
    public void A_response_without_a_hint_costs_no_memory(params string[] fields)
    {
        using var response = new HttpResponseMessage(HttpStatusCode.ServiceUnavailable);
        foreach (string field in fields)
            response.Headers.TryAddWithoutValidation(field.Split(": ")[0], field.Split(": ")[1]);
        bool HasHint() => RetryAfter.Of(response.Headers, Now) is not null
            || RateLimitFields.Of(response.Headers, Now, isRejected: true) is not null
            || RetryAfter.UnreadableIn(response.Headers, isRejected: true) is not null;

        HasHint().ShouldBeFalse();
        long before = GC.GetAllocatedBytesForCurrentThread();
        HasHint();
        long after = GC.GetAllocatedBytesForCurrentThread();

        (after - before).ShouldBe(0);
    }
}
